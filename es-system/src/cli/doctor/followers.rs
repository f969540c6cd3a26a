//! The check that the upstream of each follower is the log that it has followed.

use es_store::Verdict;

use super::Finding;
use crate::cli::opened::Target;
use crate::error::Error;
use crate::follower::history;
use crate::system::node::Opened;

const RESTORE: &str =
    "restore the follower to the same moment as its upstream, and start a new runner";

/// Verifies the recorded position of each edge.
pub(super) fn check(target: &Target<'_>, opened: &[Option<Opened>], findings: &mut Vec<Finding>) {
    let names = target.system.nodes();
    for &(leader, follower) in target.system.edge_list() {
        let subject = format!("{} <- {}", names[follower], names[leader]);
        let verdict = match (&opened[leader], &opened[follower]) {
            (Some(leader), Some(follower)) => verify(leader, follower),
            _ => Verdict::unknown("one of the two stores cannot be read"),
        };
        findings.push(Finding::new(subject, "position", verdict));
    }
}

fn verify(leader: &Opened, follower: &Opened) -> Verdict {
    match history::verify(&follower.application, &leader.application) {
        Ok(()) => Verdict::ok("the event at its position is the one that it has processed"),
        Err(Error::LogChanged { problem, .. }) => Verdict::problem(
            format!("the upstream is another log than before: {problem}"),
            RESTORE,
        ),
        Err(error) => Verdict::unknown(error.to_string()),
    }
}
