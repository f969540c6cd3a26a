//! The part that an edge takes in following its upstream, beside other programs.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use es_store::Followed;

/// The time without progress after which the other program is taken to have ended.
const STALL: Duration = Duration::from_secs(30);

/// The position of a follower, and that of its replay.
type Positions = (Option<u64>, Option<u64>);

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
    /// The positions at which it has stepped back, and the time of the first look at them.
    stalled: Option<(Positions, Instant)>,
}

impl Membership {
    /// Returns true if the edge follows with all its topics, and nothing is left to be replayed.
    pub(in crate::follower) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Records a look at which the edge has stepped back for a program that was started later,
    /// while there are events to process. If that program has made no progress for a while, returns
    /// true, and the edge decides as after its start.
    ///
    /// A program that is merely slow loses its batch to this one, and no event is lost.
    pub(in crate::follower) fn stalls(&mut self, found: &Followed, now: Instant) -> bool {
        let positions = (
            found.position,
            found.replay.as_ref().map(|one| one.position),
        );
        match self.stalled {
            Some((before, since)) if before == positions => {
                let is_over = now.duration_since(since) >= STALL;
                if is_over {
                    self.joined.clear();
                    self.has_followed = false;
                    self.stalled = None;
                }
                is_over
            }
            _ => {
                self.stalled = Some((positions, now));
                false
            }
        }
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
        let stalls = looks.any(|(position, second)| {
            let found = Followed::new(Some(position));
            membership.stalls(&found, start + Duration::from_secs(second))
        });
        assert!(!stalls, "somebody makes progress");
        assert!(membership.has_followed);
        assert!(membership.stalls(&Followed::new(Some(8)), start + Duration::from_secs(61)));
        assert!(!membership.has_followed && membership.joined.is_empty());
    }
}
