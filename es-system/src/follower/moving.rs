//! Moves of a follower's position by an operator: it starts elsewhere, processes all events again,
//! or goes on with the log of a restored upstream.
//!
//! Concurrency: each move is a compare-and-set from the position that was read, as that of a batch
//! is. So a batch in flight either commits before, and then the move is refused and reads again, or
//! is refused itself.

use es_core::Timestamp;
use es_store::{
    Followed, Operation, OperationKind, PoliciesMove, PolicyTopic, Recording, SetAsideChange,
    TopicChange, Tracking,
};

use crate::error::{Error, ErrorKind, Result};
use crate::follower::Follower;
use crate::follower::edge::Edge;

/// The maximum number of times that a move begins again because another program was first.
const CONTENTIONS: u32 = 100;

/// A move of a position, and the person or program that asks for it.
#[derive(Clone, Copy)]
struct Move<'a> {
    kind: OperationKind,
    /// The position to which it moves.
    to: u64,
    who: &'a str,
}

impl Follower {
    /// Has the follower go on with the first event at `position` of `upstream` or behind it. The
    /// events in front of it are passed over, and are not remembered one by one.
    ///
    /// # Errors
    /// Fails if the follower has passed the position, if the upstream has not reached it, and if
    /// another program has other policies.
    pub(crate) fn start_at(&self, upstream: &str, position: u64, who: &str) -> Result<()> {
        let edge = self.edge(upstream)?;
        let start = Move {
            kind: OperationKind::StartedAt,
            to: position.saturating_sub(1),
            who,
        };
        self.retrying(|| {
            let found = self.application().followed(upstream)?;
            let head = edge.upstream().head()?;
            let head = edge.history().verify_head(&found, head)?;
            let from = found.position.unwrap_or(0);
            let end = head.map_or(from, |head| head.position);
            if start.to < from || start.to > end {
                let name = self.name();
                return Err(Error::Usage(format!(
                    "`{name}` has processed `{upstream}` up to position {from}, and the last event \
                     is at {end}: it can begin at {} to {}",
                    from + 1,
                    end + 1
                )));
            }
            self.move_to(edge, &found, start)
        })
    }

    /// Has the follower process all events again. Its own events are kept, so its policies must be
    /// made to be run again.
    ///
    /// # Errors
    /// Fails while a policy that was added replays events, and if another program has other
    /// policies.
    pub(crate) fn reset(&self, who: &str) -> Result<()> {
        let reset = Move {
            kind: OperationKind::Reset,
            to: 0,
            who,
        };
        for edge in self.edges() {
            let upstream = edge.upstream().name();
            self.retrying(|| {
                let found = self.application().followed(upstream)?;
                self.move_to(edge, &found, reset)
            })?;
        }
        Ok(())
    }

    /// Accepts the log of `upstream`, which was restored: the follower goes on behind `position`,
    /// the last one that both logs have in common. Nobody but the operator knows it: a restored log
    /// that has grown again looks like any other.
    ///
    /// # Errors
    /// Fails if the position is above the head, or above the position of the follower.
    pub(crate) fn accept_upstream(&self, upstream: &str, position: u64, who: &str) -> Result<()> {
        let edge = self.edge(upstream)?;
        let accept = Move {
            kind: OperationKind::AcceptedUpstream,
            to: position,
            who,
        };
        self.retrying(|| {
            let found = self.application().followed(upstream)?;
            let recorded = found.position.unwrap_or(0);
            if position > recorded {
                let name = self.name();
                return Err(Error::Usage(format!(
                    "`{name}` is at {recorded} in `{upstream}`, and has not processed position \
                     {position}: name the last position that the restored log has kept"
                )));
            }
            self.refuse_beyond_head(edge, position)?;
            self.move_to(edge, &found, accept)
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

    fn move_to(&self, edge: &Edge, found: &Followed, how: Move<'_>) -> Result<()> {
        let Move { kind, to, who } = how;
        let upstream = edge.upstream().name();
        if found.replay.is_some() {
            let name = self.name();
            return Err(Error::Usage(format!(
                "{name}: a policy that was added replays events of `{upstream}`: wait for its end"
            )));
        }
        let policies = behind(found, edge.policies_of_move(found)?, to);
        let from = found.position.unwrap_or(0);
        let mut tracking = Tracking::anywhere(upstream, from, to).policies(policies);
        if let Some(event) = edge.upstream().on_store(|store| store.event_at(to))? {
            tracking = tracking.at(event);
        }
        let now = Timestamp::now();
        let moved = Operation::new(kind, upstream, who, now)
            .at(to)
            .detail(format!("from {from}"));
        let mut recording = Recording::default().tracking(tracking).operation(moved);
        let standing = found.standing.as_ref();
        if standing.is_none_or(|last| last.kind != OperationKind::Paused) {
            // One that has stopped in front of an event, or of another log, goes on.
            let resumed = Operation::new(OperationKind::Resumed, upstream, who, now);
            recording = recording.operation(resumed);
        }
        if kind != OperationKind::StartedAt {
            // Decisions about events that may be others now, too.
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

/// Has the topics that were taken out cover no event behind `to`, because others may stand there.
fn behind(found: &Followed, policies: PoliciesMove, to: u64) -> PoliciesMove {
    let covered = found.topics.iter().filter(|topic| topic.covered > Some(to));
    covered.fold(policies, |policies, topic| {
        let topic = PolicyTopic::covered(&*topic.topic, to);
        policies.topic(TopicChange::Put(topic))
    })
}

impl Error {
    /// Returns true if another program was first.
    fn is_contention(&self) -> bool {
        self.kind() == ErrorKind::Store && self.remedy() == es_store::Remedy::RetryNow
    }
}
