//! The move of a follower's position forward, by an operator.

use es_core::Timestamp;
use es_store::{Operation, OperationKind, Tracking};

use crate::error::{Error, Result};
use crate::follower::Follower;

impl Follower {
    /// Has the follower go on with the first event at `position` of `upstream` or behind it. The
    /// events in front of it are passed over, and are not remembered one by one.
    ///
    /// Concurrency: the move is fenced as that of a batch is, by the position at which it starts.
    ///
    /// # Errors
    /// Fails if the follower has passed the position, if the upstream has not reached it, and if
    /// another program has other policies or was first.
    pub(crate) fn start_with(&self, upstream: &str, position: u64, who: &str) -> Result<()> {
        let edge = self.edge(upstream)?;
        let found = self.application().followed(upstream)?;
        let head = edge
            .history()
            .verify_head(&found, edge.upstream().head()?)?;
        let policies = edge.policies_of_move(&found)?;
        let (from, to) = (found.position.unwrap_or(0), position.saturating_sub(1));
        let end = head.map_or(from, |head| head.position);
        if to < from || to > end {
            let name = self.name();
            return Err(Error::Usage(format!(
                "`{name}` has processed `{upstream}` up to position {from}, and the last event is at {end}: it can \
                 begin at {} to {}",
                from + 1,
                end + 1
            )));
        }
        let tracking = Tracking::new(upstream, from, to).policies(policies);
        let event = edge.upstream().on_store(|store| store.event_at(to))?;
        let tracking = match event {
            Some(event) => tracking.at(event),
            None => tracking,
        };
        let started = Operation::new(OperationKind::StartedAt, upstream, who, Timestamp::now());
        let recording = edge
            .beginning(&found, to)?
            .tracking(tracking)
            .operation(started.at(position));
        self.application().record(&recording)?;
        Ok(())
    }
}
