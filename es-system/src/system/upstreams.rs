//! The check that each policy has an upstream: an application that saves the events it follows.

use crate::error::{Error, Result};
use crate::policy::table::FollowedEvent;
use crate::system::node::Node;

/// Fails if a policy of `follower` follows events of an aggregate that none of its `upstreams`
/// saves. If one of them does not list what it saves, nothing can be said.
pub(super) fn check(follower: &Node, upstreams: &[&Node]) -> Result<()> {
    let saved: Option<Vec<_>> = upstreams.iter().map(|upstream| upstream.saved()).collect();
    let Some(saved) = saved.filter(|saved| !saved.is_empty()) else {
        return Ok(());
    };
    let is_saved = |event: &FollowedEvent| {
        let mut all = saved.iter().copied().flatten();
        all.any(|saved| *saved == event.aggregate)
    };
    match follower.followed().iter().find(|event| !is_saved(event)) {
        None => Ok(()),
        Some(event) => Err(missing(follower, upstreams, event)),
    }
}

fn missing(follower: &Node, upstreams: &[&Node], event: &FollowedEvent) -> Error {
    let FollowedEvent { aggregate, topic } = event;
    let aggregate = aggregate.topic;
    let name = follower.name();
    let upstreams: Vec<_> = upstreams
        .iter()
        .map(|one| format!("`{}`", one.name()))
        .collect();
    let upstreams = upstreams.join(", ");
    let problem = format!(
        "it has a policy for `{topic}`, and none of the applications that it follows ({upstreams}) lists the \
         aggregate `{aggregate}` as one that it saves: add the pipe from the application that saves it, \
         `[.., {name}]`, or add the aggregate to `aggregates(..)` of the one that does"
    );
    Error::configuration(name, problem)
}
