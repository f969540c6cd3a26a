//! Moves of a follower's position by an operator: it starts elsewhere, processes all events again,
//! or goes on with the log of a restored upstream.
//!
//! Concurrency: each move is a compare-and-set from the position that was read, as that of a batch
//! is. So a batch in flight either commits before, and then the move is refused and reads again, or
//! is refused itself.

use es_core::Timestamp;
use es_store::{Followed, Operation, OperationKind, SetAsideChange, Tracking};

use crate::error::{Error, ErrorKind, Result};
use crate::follower::Follower;
use crate::follower::edge::Edge;

/// The maximum number of times that a move begins again because another program was first.
const CONTENTIONS: u32 = 100;

/// A move of a position.
struct Move<'a> {
    kind: OperationKind,
    who: &'a str,
    /// True if what is set aside above the new position is forgotten.
    forgets: bool,
}

impl Follower {
    /// Has the follower go on behind `position` of `upstream`, wherever it is.
    ///
    /// # Errors
    /// Fails if the upstream has no such position.
    pub(crate) fn start_at(&self, upstream: &str, position: u64, who: &str) -> Result<()> {
        let edge = self.edge(upstream)?;
        let start = Move {
            kind: OperationKind::StartedAt,
            who,
            forgets: false,
        };
        self.retrying(|| {
            let found = self.application().followed(upstream)?;
            if position < found.position.unwrap_or(0) {
                let name = self.name();
                return Err(Error::Usage(format!(
                    "`{name}` has processed more than {position} events of `{upstream}` already: \
                     to process them again, reset it"
                )));
            }
            self.refuse_beyond_head(edge, position)?;
            self.move_to(edge, &found, position, &start)
        })
    }

    /// Has the follower process all events again. Its own events are kept, so its policies must be
    /// made to be run again.
    pub(crate) fn reset(&self, who: &str) -> Result<()> {
        let reset = Move {
            kind: OperationKind::Reset,
            who,
            forgets: true,
        };
        for edge in self.edges() {
            let upstream = edge.upstream().name();
            self.retrying(|| {
                let found = self.application().followed(upstream)?;
                self.move_to(edge, &found, 0, &reset)
            })?;
        }
        Ok(())
    }

    /// Accepts the log of `upstream`, which was restored: the follower goes on behind `position`,
    /// or behind the present head. It must have processed the events up to there.
    ///
    /// # Errors
    /// Fails if the position is above the head, or above the position of the follower.
    pub(crate) fn accept_upstream(
        &self,
        upstream: &str,
        position: Option<u64>,
        who: &str,
    ) -> Result<u64> {
        let edge = self.edge(upstream)?;
        let accept = Move {
            kind: OperationKind::AcceptedUpstream,
            who,
            forgets: true,
        };
        self.retrying(|| {
            let head = edge.upstream().head()?.map_or(0, |head| head.position);
            let found = self.application().followed(upstream)?;
            let recorded = found.position.unwrap_or(0);
            let position = position.unwrap_or(head.min(recorded));
            if position > recorded {
                let name = self.name();
                return Err(Error::Usage(format!(
                    "`{name}` is at {recorded} in `{upstream}`, and has not processed position \
                     {position}: name the last position that the restored log has kept"
                )));
            }
            self.refuse_beyond_head(edge, position)?;
            self.move_to(edge, &found, position, &accept)?;
            Ok(position)
        })
    }

    fn refuse_beyond_head(&self, edge: &Edge, position: u64) -> Result<()> {
        let upstream = edge.upstream();
        let head = upstream.head()?.map_or(0, |head| head.position);
        if position <= head {
            return Ok(());
        }
        let upstream = upstream.name();
        Err(Error::Usage(format!(
            "`{upstream}` ends at position {head}, so no follower can be at {position}"
        )))
    }

    fn move_to(&self, edge: &Edge, found: &Followed, to: u64, how: &Move<'_>) -> Result<()> {
        let upstream = edge.upstream().name();
        if found.replay.is_some() {
            let name = self.name();
            return Err(Error::Usage(format!(
                "{name}: a policy that was added replays events of `{upstream}`: wait for its end"
            )));
        }
        let policies = edge.policies_of_move(found)?;
        let from = found.position.unwrap_or(0);
        let mut tracking = Tracking::anywhere(upstream, from, to).policies(policies);
        if let Some(event) = edge.upstream().on_store(|store| store.event_at(to))? {
            tracking = tracking.at(event);
        }
        let now = Timestamp::now();
        let moved = Operation::new(how.kind, upstream, how.who, now)
            .at(to)
            .detail(format!("from {from}"));
        // One that has stopped in front of an event, or of another log, goes on.
        let resumed = Operation::new(OperationKind::Resumed, upstream, how.who, now);
        let mut recording = edge
            .beginning(found, to)?
            .tracking(tracking)
            .operation(moved)
            .operation(resumed);
        if how.forgets && found.waiting.count > 0 {
            recording = recording.set_aside(SetAsideChange::Forget {
                upstream: upstream.to_owned(),
                above: to,
            });
        }
        self.application().record(&recording)?;
        Ok(())
    }

    /// Repeats `work` while another program moves the position first.
    fn retrying<T>(&self, mut work: impl FnMut() -> Result<T>) -> Result<T> {
        let mut contentions = 0;
        loop {
            match work() {
                Err(error) if error.is_contention() && contentions < CONTENTIONS => {
                    contentions += 1;
                }
                done => return done,
            }
        }
    }
}

impl Error {
    /// Returns true if another program was first.
    fn is_contention(&self) -> bool {
        self.kind() == ErrorKind::Store && self.remedy() == es_store::Remedy::RetryNow
    }
}
