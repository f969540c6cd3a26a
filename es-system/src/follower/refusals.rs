//! Refusals: the record refuses the events that a batch has made, or another application refuses
//! those that a policy saves to it, because a version exists already or does not follow the last
//! one.
//!
//! The usual cause is another writer that was first, and then the batch succeeds in its next run.
//! After two refusals in a row the batch is split: each attempt has half the events of the one
//! before, until the refused events are passed. A policy that does not look at the recorded state
//! makes the same version in every attempt. So when a single event is refused twice for the same
//! version, the failure is the policy's. (A policy that races with a user's saves is refused for a
//! higher version each time.) A refusal that no race can cause, such as a gap in versions, is the
//! policy's failure as soon as its event is alone. If that event is set aside without its policy,
//! the record cannot be made, and the follower stops.

use crate::error::Error;
use crate::follower::batch::BATCH_EVENTS;
use crate::follower::events::{Lane, Offered};
use crate::follower::failure::{self, EventFailure, Failure, Pause, Refusal};
use crate::policy::received::Received;

/// The refusals of an edge. A replay has its own: its positions lie before the live one, and a
/// refusal there says nothing about the events here.
#[derive(Debug, Default)]
pub(super) struct LaneRefusals {
    live: Refusals,
    replay: Refusals,
}

impl LaneRefusals {
    pub(super) fn of(&mut self, lane: &Lane) -> &mut Refusals {
        match lane {
            Lane::Replay(_) => &mut self.replay,
            Lane::Live(_) | Lane::Rebuild(_) => &mut self.live,
        }
    }
}

/// The refusals of one lane since it last made progress past them.
#[derive(Debug)]
pub(super) struct Refusals {
    count: u32,
    /// The maximum number of events of the next batch.
    limit: usize,
    /// The last position of the refused events.
    until: u64,
    /// The position of the last event that was refused alone, with the refusal.
    last_alone: Option<(u64, Refusal)>,
}

impl Default for Refusals {
    fn default() -> Self {
        Self {
            count: 0,
            limit: BATCH_EVENTS,
            until: 0,
            last_alone: None,
        }
    }
}

impl Refusals {
    /// Returns the maximum number of events of the next batch.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Records that every event up to `position` is processed.
    pub(super) fn passed(&mut self, position: u64) {
        if position >= self.until {
            *self = Self::default();
        }
    }

    /// Decides the outcome of `events`, which the record has refused.
    pub(super) fn of_commit(
        &mut self,
        follower: &str,
        events: Offered<'_>,
        error: Error,
    ) -> Failure {
        let Offered {
            upstream,
            events: page,
            aside,
            ..
        } = events;
        let (Some(first), Some(last)) = (page.first(), page.last()) else {
            return error.into();
        };
        let limit = self.limit;
        let refusal = Refusal::of(&error);
        if self.is_the_policys(first.id, last.id, page.len(), refusal) {
            if aside.is_some_and(|aside| aside.has(first)) {
                // No policy has run: the store refuses to set the event aside, and always will.
                return Failure::Stop(error);
            }
            let received = Received {
                notification: first,
                upstream,
                began: None,
            };
            return Failure::Policy(failure::policy_failure(follower, received, Box::new(error)));
        }
        let is_narrower = self.limit < limit;
        let pause = if is_narrower {
            Pause::None
        } else {
            Pause::Contention
        };
        Failure::Retry { error, pause }
    }

    /// Decides the outcome of the event at `position`, whose policy did not succeed. Everything
    /// before it is committed.
    pub(super) fn of_event(&mut self, position: u64, failed: EventFailure) -> Failure {
        match failed {
            EventFailure::Store(error) => error.into(),
            EventFailure::Policy(error) => Failure::Policy(error),
            EventFailure::Newer(event) => Failure::Newer(event),
            EventFailure::Refused { error, refusal } => {
                if self.is_the_policys(position, position, 1, Some(refusal)) {
                    return Failure::Policy(error);
                }
                let pause = Pause::Contention;
                Failure::Retry { error, pause }
            }
        }
    }

    /// Counts one more refusal, of `events` events from position `first` to `last`; `refusal` is
    /// the version that exists already, if that is the cause. Returns true if the failure is the
    /// policy's.
    fn is_the_policys(
        &mut self,
        first: u64,
        last: u64,
        events: usize,
        refusal: Option<Refusal>,
    ) -> bool {
        self.count += 1;
        self.until = self.until.max(last);
        let is_alone = events <= 1;
        if self.count >= 2 || refusal.is_none() {
            // Behind one that is alone there may be one that failed, and that is in the way.
            self.limit = (events / 2).max(1);
        }
        match refusal {
            _ if !is_alone => false,
            None => true,
            Some(refusal) => {
                let this = Some((first, refusal));
                let is_again = this == self.last_alone;
                self.last_alone = this;
                is_again
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use es_store::{Conflict, PoliciesMove};

    use super::*;

    fn version(version: u64) -> Option<Refusal> {
        Some(Refusal {
            application: "Kennel".to_owned(),
            conflict: Conflict::new("dog", version),
        })
    }

    #[test]
    fn one_event_alone_that_is_refused_twice_for_one_version_is_the_policys() {
        let mut refusals = Refusals::default();
        assert!(!refusals.is_the_policys(1, 9, 9, version(1)));
        assert_eq!(
            refusals.limit(),
            BATCH_EVENTS,
            "another writer may have been first"
        );
        assert!(!refusals.is_the_policys(1, 9, 9, version(1)));
        assert_eq!(refusals.limit(), 4);
        assert!(!refusals.is_the_policys(1, 4, 4, version(1)));
        assert!(!refusals.is_the_policys(1, 2, 2, version(1)));
        assert_eq!(refusals.limit(), 1);
        assert!(!refusals.is_the_policys(1, 1, 1, version(1)));
        assert!(refusals.is_the_policys(1, 1, 1, version(1)));
    }

    #[test]
    fn another_version_or_another_event_is_another_writers() {
        let mut refusals = Refusals::default();
        assert!(!refusals.is_the_policys(7, 7, 1, version(4)));
        assert!(!refusals.is_the_policys(7, 7, 1, version(5)));
        assert!(!refusals.is_the_policys(8, 8, 1, version(5)));
    }

    #[test]
    fn one_event_in_front_of_one_that_failed_is_tried_alone() {
        let mut refusals = Refusals::default();
        for version_of_another in 4..6 {
            assert!(!refusals.is_the_policys(7, 7, 1, version(version_of_another)));
        }
        assert_eq!(refusals.limit(), 1);
        refusals.passed(7);
        assert_eq!(refusals.limit(), BATCH_EVENTS);
    }

    #[test]
    fn what_no_race_can_cause_is_the_policys_when_its_event_is_alone() {
        let mut refusals = Refusals::default();
        assert!(!refusals.is_the_policys(7, 9, 3, None));
        assert_eq!(refusals.limit(), 1);
        assert!(refusals.is_the_policys(7, 7, 1, None));
    }

    #[test]
    fn what_is_refused_at_the_live_position_does_not_make_the_batches_of_a_replay_small() {
        let policies = || PoliciesMove::new(None, "Dog.");
        let (live, replay) = (Lane::Live(policies()), Lane::Replay(policies()));
        let mut refusals = LaneRefusals::default();
        assert!(!refusals.of(&live).is_the_policys(700, 800, 8, None));
        assert_eq!(refusals.of(&replay).limit(), BATCH_EVENTS);
        refusals.of(&replay).passed(900);
        assert_eq!(refusals.of(&live).limit(), 4);
    }

    #[test]
    fn batches_stay_small_until_the_refused_events_are_passed() {
        let mut refusals = Refusals::default();
        refusals.is_the_policys(1, 8, 8, None);
        refusals.passed(4);
        assert_eq!(refusals.limit(), 4);
        refusals.passed(8);
        assert_eq!(refusals.limit(), BATCH_EVENTS);
    }
}
