//! Moves of a follower's position by an operator: it starts elsewhere, processes all events again,
//! or goes on with the log of a restored upstream.
//!
//! Concurrency: each move is a compare-and-set from the position that was read, as that of a batch
//! is. So a batch in flight either commits before, and then the move is refused and reads again, or
//! is refused itself. A move records a tag of its own, by which a batch is refused also where the
//! position stands.

use es_core::Timestamp;
use es_store::{
    Followed, Operation, OperationKind, PoliciesMove, PolicyTopic, SetAsideChange, SetAsideQuery,
    TopicChange, Tracking,
};

use crate::error::{Error, ErrorKind, Result};
use crate::follower::Follower;
use crate::follower::edge::Edge;

/// The maximum number of times that a move begins again because another program was first.
const CONTENTIONS: u32 = 100;

/// A move of a position.
struct Move<'a> {
    kind: OperationKind,
    who: &'a str,
    /// The position above which all is forgotten that is set aside or was decided; `None` if
    /// nothing is.
    forgets_above: Option<u64>,
}

impl Follower {
    /// Has the follower go on with the first event at `position` of `upstream` or behind it. The
    /// events in front of it are passed over, and are not remembered one by one.
    ///
    /// # Errors
    /// Fails if the follower has passed the position, and if the upstream has not reached it.
    pub(crate) fn start_at(&self, upstream: &str, position: u64, who: &str) -> Result<()> {
        let edge = self.edge(upstream)?;
        let start = Move {
            kind: OperationKind::StartedAt,
            who,
            forgets_above: None,
        };
        self.retrying(|| {
            let found = self.application().followed(upstream)?;
            let head = edge.upstream().head()?;
            let head = edge.history().verify_head(&found, head)?;
            let (from, to) = (found.position.unwrap_or(0), position.saturating_sub(1));
            let end = head.map_or(from, |head| head.position);
            if to < from || to > end {
                let name = self.name();
                return Err(Error::Usage(format!(
                    "`{name}` has processed `{upstream}` up to position {from}, and the last event \
                     is at {end}: it can begin at {} to {}",
                    from + 1,
                    end + 1
                )));
            }
            self.move_to(edge, &found, to, &start)
        })
    }

    /// Has the follower process all events again. Its own events are kept, so its policies must be
    /// made to be run again.
    pub(crate) fn reset(&self, who: &str) -> Result<()> {
        let reset = Move {
            kind: OperationKind::Reset,
            who,
            forgets_above: Some(0),
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
    /// the last one that both logs have in common. Nobody but the operator knows it: a restored log
    /// that has grown again looks like any other.
    ///
    /// # Errors
    /// Fails if the position is above the head, or above the position of the follower.
    pub(crate) fn accept_upstream(&self, upstream: &str, position: u64, who: &str) -> Result<()> {
        let edge = self.edge(upstream)?;
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
            let accept = Move {
                kind: OperationKind::AcceptedUpstream,
                who,
                forgets_above: Some(self.last_in_both(edge, position)?),
            };
            self.move_to(edge, &found, position, &accept)
        })
    }

    /// Returns the last position up to `to` at which the log of the upstream still has all events
    /// that are set aside or were decided.
    fn last_in_both(&self, edge: &Edge, to: u64) -> Result<u64> {
        let mut rows = SetAsideQuery::of(edge.upstream().name());
        rows.up_to = Some(to);
        for row in self.set_aside(&rows)? {
            let found = edge.upstream();
            let found = found.on_store(|store| store.event_at(row.position))?;
            if !found.is_some_and(|found| found.may_be(&row.event())) {
                return Ok(row.position.saturating_sub(1));
            }
        }
        Ok(to)
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
        let now = Timestamp::now();
        let mut policies = behind(found, edge.policies_of_move(found)?, to);
        let tag = |tag: String| format!("{} {} {tag}", how.kind.text(), now.as_micros());
        policies.new = policies.new.map(tag);
        let from = found.position.unwrap_or(0);
        let mut tracking = Tracking::anywhere(upstream, from, to).policies(policies);
        if let Some(event) = edge.upstream().on_store(|store| store.event_at(to))? {
            tracking = tracking.at(event);
        }
        let moved = Operation::new(how.kind, upstream, how.who, now)
            .at(to)
            .detail(format!("from {from}"));
        let mut recording = edge
            .beginning(found, to)?
            .tracking(tracking)
            .operation(moved);
        let standing = found.standing.as_ref();
        if standing.is_none_or(|one| one.kind != OperationKind::Paused) {
            // One that has stopped in front of an event, or of another log, goes on.
            let resumed = Operation::new(OperationKind::Resumed, upstream, how.who, now);
            recording = recording.operation(resumed);
        }
        if let Some(above) = how.forgets_above {
            let upstream = upstream.to_owned();
            recording = recording.set_aside(SetAsideChange::Forget { upstream, above });
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
