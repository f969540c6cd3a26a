//! The part that an edge takes in following its upstream, beside other programs.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use es_store::Followed;

use super::missed::Coverage;

/// The time without progress after which the other program is taken to have ended.
const STALL: Duration = Duration::from_secs(30);

/// The tag that a program records to find out if another one is there.
pub(in crate::follower) const CALL: &str = "call";

/// Returns true if a program has called, and no other one has answered.
pub(in crate::follower) fn is_called(found: &Followed) -> bool {
    found.policies.as_deref() == Some(CALL)
}

/// The position of a follower, that of its replay, and the tag of its policies. They show the
/// progress of the programs that follow.
type Progress = (Option<u64>, Option<u64>, Option<String>);

/// The result of a look at which an edge has stepped back for a program that was started later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::follower) enum Look {
    /// The edge waits on.
    Wait,
    /// The edge calls, because there is something to do, and no events by which the other program
    /// would make progress.
    Call,
    /// The other program is taken to have ended. The edge decides as after its start.
    Over,
}

/// The part that an edge takes in following its upstream.
#[derive(Debug, Default)]
pub(in crate::follower) struct Membership {
    /// The topics that it has followed or replayed.
    pub(in crate::follower) joined: BTreeSet<String>,
    /// True if it has followed with exactly its topics.
    pub(in crate::follower) has_followed: bool,
    /// True if it had all its topics at the last look, unless it has stepped back then.
    pub(in crate::follower) is_settled: bool,
    /// True if events are left to be replayed.
    pub(in crate::follower) is_replaying: bool,
    /// True if a position of unknown policies was reported.
    pub(in crate::follower) has_reported: bool,
    /// The progress at which it has stepped back, and the time of the first look at it.
    stalled: Option<(Progress, Instant)>,
    /// The time of the last call.
    called: Option<Instant>,
}

impl Membership {
    /// Returns true if the edge follows with all its topics, and nothing is left to be replayed.
    pub(in crate::follower) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Records a look at which the edge has stepped back for a program that was started later.
    /// `has_events` is true if there are events behind the position.
    ///
    /// If there is something to do and that program has made no progress for a while, this edge
    /// decides again. A program that is merely slow loses its batch to this one, and no event is
    /// lost.
    pub(in crate::follower) fn look(
        &mut self,
        found: &Followed,
        has_events: bool,
        now: Instant,
    ) -> Look {
        let is_idle = !has_events && found.replay.is_none();
        if is_idle && !self.has_missed(found) {
            return Look::Wait;
        }
        let is_long = |since: Instant| now.saturating_duration_since(since) >= STALL;
        let replay = found.replay.as_ref().map(|one| one.position);
        let progress = (found.position, replay, found.policies.clone());
        match &self.stalled {
            Some((before, since)) if *before == progress => {
                if is_long(*since) && (!is_idle || is_called(found)) {
                    self.decide_again();
                    return Look::Over;
                }
            }
            _ => self.stalled = Some((progress, now)),
        }
        if is_idle && !is_called(found) && self.called.is_none_or(is_long) {
            self.called = Some(now);
            return Look::Call;
        }
        Look::Wait
    }

    fn decide_again(&mut self) {
        *self = Self {
            has_reported: self.has_reported,
            ..Self::default()
        };
    }

    /// Returns true if a topic that the edge has followed was taken out in front of the position,
    /// so that it may have missed events.
    fn has_missed(&self, found: &Followed) -> bool {
        let (coverage, position) = (Coverage::new(&found.topics), found.position.unwrap_or(0));
        let mut joined = self.joined.iter();
        joined.any(|topic| coverage.of(topic) < position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_decides_again_when_nobody_has_made_progress_for_a_while() {
        let mut membership = Membership {
            joined: ["Dog.Renamed".to_owned()].into(),
            has_followed: true,
            ..Membership::default()
        };
        let start = Instant::now();
        let mut looks = [(7, 0), (7, 29), (8, 31), (8, 60)].into_iter();
        let mut look = |position, second| {
            let found = Followed::new(Some(position));
            membership.look(&found, true, start + Duration::from_secs(second))
        };
        let waits = looks.all(|(position, second)| look(position, second) == Look::Wait);
        assert!(waits, "somebody makes progress");
        assert_eq!(look(8, 61), Look::Over);
        assert!(!membership.has_followed && membership.joined.is_empty());
    }
}
