//! One edge of a system: a follower and one application that it follows.
//!
//! Concurrency: one thread at a time takes steps of an edge, and only that thread changes its
//! state. Other threads read the state under the mutex, which is never held while a policy runs or
//! a store is called. The state does not decide which events are processed: the recorded position
//! does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use es_core::__private::panic_message;
use es_core::Timestamp;
use es_store::sync::lock;
use es_store::{Operation, OperationKind};

use crate::application::Application;
use crate::error::{Error, Result};
use crate::follower::aside::Failed;
use crate::follower::batch::InHand;
use crate::follower::delay::Delay;
use crate::follower::events::{Lane, Page};
use crate::follower::failure::Failure;
use crate::follower::metrics::EdgeCounters;
use crate::follower::policies::Membership;
use crate::follower::processor::Processor;
use crate::follower::refusals::{LaneRefusals, Refusals};
use crate::follower::step::{Next, Skips, Step};

/// A follower's work on one of its upstreams.
pub(crate) struct Edge {
    pub(super) processor: Arc<Processor>,
    pub(super) upstream: Application,
    state: Mutex<State>,
    /// The event whose policy runs.
    pub(super) in_hand: InHand,
    pub(super) counters: EdgeCounters,
}

/// The state of an edge's work.
#[derive(Default)]
pub(super) struct State {
    /// True if the upstream is known to be the log that was followed before.
    pub(super) is_verified: bool,
    /// The recorded position that the last batch found.
    pub(super) last_position: u64,
    /// The part of the edge in following its upstream, beside other programs.
    pub(super) membership: Membership,
    pub(super) refusals: LaneRefusals,
    pub(super) delay: Option<Delay>,
    /// The events of the last page that its batch has left. After a failure they are read again,
    /// because a damaged row may have been repaired.
    pub(super) left: Option<Page>,
    /// The time of the last write of a position that only skipped events.
    pub(super) last_skip: Option<Instant>,
    /// True if an attempt may have recorded events, or may still record them. The next attempt that
    /// reads the recorded position finds out.
    is_in_doubt: bool,
    /// The attempts at the next event, if its policy has failed.
    pub(super) front: Option<Front>,
    /// The event that the next step sets aside, because its policy has failed.
    pub(super) failed: Option<Failed>,
    pub(super) retries: Retries,
    /// The number of the last operation that tells whether the follower is to process events.
    pub(super) standing: u64,
    /// The operation that has paused the edge, if it is paused.
    pub(super) paused: Option<Operation>,
    /// The stop of the follower, if it was this edge that has stopped it.
    pub(super) stop: Option<Stop>,
}

/// The failed attempts at the event in front of which the edge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Front {
    pub(super) position: u64,
    /// The number of failures that count for the rule.
    pub(super) failures: u32,
    /// The number of all failures.
    pub(super) attempts: u32,
}

/// The stop of a follower by one of its edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop {
    /// The number of the last operation before the attempt that has failed.
    pub(super) standing: u64,
    /// The position of the event in front of which it stands, if its policy has failed.
    pub(super) position: Option<u64>,
}

/// The retries of events that are set aside.
#[derive(Default)]
pub(super) struct Retries {
    /// The time at which the next one is due, as the last look has found it.
    pub(super) due: Option<Timestamp>,
    /// True if the last step was a retry. Then the next one is a batch, if there are events.
    pub(super) had_turn: bool,
    pub(super) refusals: Refusals,
    /// The delay after a retry that has failed while the edge waits in front of an event. It is
    /// not that of the edge, which would end the wait.
    pub(super) delay: Option<Delay>,
}

/// The work that a step may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Anything.
    Any,
    /// Only retries, because the edge waits in front of an event.
    Retries,
}

/// The result of a pull.
pub(super) enum Pulled {
    /// Nothing was done. The edge looks again at the given moment, or when it is prompted.
    Nothing { or_at: Option<Instant> },
    /// A batch was committed. The next event may have failed.
    Batch {
        recorded: bool,
        failure: Option<Failure>,
    },
    /// An event that is set aside was tried again, or nothing was due.
    Retried { recorded: bool },
}

impl Pulled {
    /// Something was recorded, and no event was.
    pub(super) fn changed() -> Self {
        Self::Batch {
            recorded: false,
            failure: None,
        }
    }
}

impl Edge {
    pub(super) fn new(processor: Arc<Processor>, upstream: Application) -> Self {
        Self {
            processor,
            upstream,
            state: Mutex::default(),
            in_hand: InHand::default(),
            counters: EdgeCounters::default(),
        }
    }

    pub(crate) fn upstream(&self) -> &Application {
        &self.upstream
    }

    pub(crate) fn follower(&self) -> &Application {
        &self.processor.application
    }

    /// Processes one batch or retries one event, if there are any and the pause after a failure is
    /// over. It only waits for the stores and never sleeps: the caller waits as [`Step::next`]
    /// tells it. Of the events that are set aside it retries those that were due at `due`.
    pub(crate) fn step(&self, now: Instant, skips: Skips, due: Timestamp) -> Step {
        if self.has_stopped() && !self.goes_on() {
            return Step::rest(Next::WhenPrompted { or_at: None });
        }
        let turn = match self.pending(now) {
            None => Turn::Any,
            Some(_) if self.is_operated() => Turn::Any,
            Some(next) if self.retry_is_due(now, due) && !next.is_of_failure() => Turn::Retries,
            Some(next) => return Step::rest(self.or_retry(next, now)),
        };
        if turn == Turn::Any && self.tries_again() {
            self.counters.count_retry();
        }
        let began = Instant::now();
        let repairs = self.processor.repairs();
        // Panics of policies are caught one by one. Any other panic is a defect of this library and
        // must not fail a command.
        let pull = || self.pull(now, skips, due, turn);
        let pulled = catch_unwind(AssertUnwindSafe(pull)).unwrap_or_else(|panic| {
            let defect = Error::Defect {
                application: self.processor.name().to_owned(),
                message: panic_message(panic),
            };
            Err(Failure::Stop(defect))
        });
        let now = now + began.elapsed();
        let step = self.after(pulled, turn, now, repairs);
        let next = self.or_retry(step.next, now);
        Step { next, ..step }
    }

    fn after(
        &self,
        pulled: Result<Pulled, Failure>,
        turn: Turn,
        now: Instant,
        repairs: u64,
    ) -> Step {
        match pulled {
            Ok(Pulled::Nothing { or_at }) => {
                let was_in_doubt = self.succeeded(turn);
                let next = match turn {
                    Turn::Any => Next::WhenPrompted { or_at },
                    // Another program has retried the event. The wait in front of another one goes
                    // on.
                    Turn::Retries => {
                        let delay = self.state().delay.as_ref().map(Next::after);
                        delay.unwrap_or(Next::AtOnce)
                    }
                };
                Step {
                    changed: was_in_doubt,
                    recorded: was_in_doubt,
                    next,
                }
            }
            Ok(Pulled::Batch { recorded, failure }) => {
                let was_in_doubt = self.succeeded(turn);
                let next = failure.map_or(Next::AtOnce, |failure| {
                    self.failed(failure, turn, now, repairs)
                });
                Step {
                    changed: true,
                    recorded: recorded || was_in_doubt,
                    next,
                }
            }
            Ok(Pulled::Retried { recorded }) => {
                let was_in_doubt = self.succeeded(Turn::Retries);
                Step {
                    changed: true,
                    recorded: recorded || was_in_doubt,
                    next: Next::AtOnce,
                }
            }
            Err(failure) => {
                let is_in_doubt = failure.may_have_recorded();
                self.state().is_in_doubt |= is_in_doubt;
                Step {
                    changed: true,
                    recorded: is_in_doubt,
                    next: self.failed(failure, turn, now, repairs),
                }
            }
        }
    }

    /// Returns the step at the end of the delay, if the edge is in one.
    fn pending(&self, now: Instant) -> Option<Next> {
        let state = self.state();
        let delay = state.delay.as_ref().filter(|delay| delay.is_pending(now))?;
        Some(Next::after(delay))
    }

    /// Returns true if the next attempt follows a failure.
    fn tries_again(&self) -> bool {
        self.state().delay.as_ref().is_some_and(Delay::is_retry)
    }

    /// Ends a series of failures. A retry ends no wait in front of an event. Returns true if one of
    /// the attempts may have recorded events.
    fn succeeded(&self, turn: Turn) -> bool {
        let mut state = self.state();
        let ends = |delay: &mut Delay| turn == Turn::Any || delay.is_of_failure();
        state.delay.take_if(ends);
        if turn == Turn::Retries {
            state.retries.delay = None;
        }
        std::mem::take(&mut state.is_in_doubt)
    }

    /// Ends a pause between two attempts, so that the next step tries again at once.
    pub(crate) fn end_pause(&self) {
        let state = &mut *self.state();
        let delays = [&mut state.delay, &mut state.retries.delay];
        delays.into_iter().flatten().for_each(Delay::end);
    }

    /// Returns the recorded position, and true if the retry of an event is due now.
    pub(crate) fn position_and_due(&self) -> Result<(u64, bool)> {
        let found = self.follower().followed(self.upstream.name())?;
        let is_paused = found
            .standing
            .is_some_and(|one| one.kind == OperationKind::Paused);
        let due = found.waiting.due.filter(|_| !is_paused);
        let is_due = due.is_some_and(|due| due <= Timestamp::now());
        Ok((found.position.unwrap_or(0), is_due))
    }

    /// Returns the position behind which events are processed next: that of the replay, if there is
    /// one.
    pub(crate) fn next_position(&self) -> Result<u64> {
        let found = self.follower().followed(self.upstream.name())?;
        let replay = found.replay.map(|replay| replay.position);
        Ok(replay.or(found.position).unwrap_or(0))
    }

    /// Has the edge wait for the next step to verify the upstream again.
    pub(crate) fn doubt_history(&self) {
        self.state().is_verified = false;
    }

    /// Returns true if the upstream is known to be the log that was followed before, and the edge
    /// follows it with all its policies. One that is paused does not look.
    pub(crate) fn has_looked(&self) -> bool {
        let state = self.state();
        let is_verified = state.is_verified && state.membership.is_settled();
        is_verified || state.paused.is_some()
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.processor.stopped().is_some()
    }

    /// Returns true if the edge follows with all its policies, and nothing is left to be replayed.
    pub(crate) fn is_settled(&self) -> bool {
        self.state().membership.is_settled()
    }

    /// Returns the step, which also comes when the next retry is due.
    fn or_retry(&self, next: Next, now: Instant) -> Next {
        let retries = &self.state().retries;
        let Some(due) = retries.due else { return next };
        let due = now + due.duration_since(Timestamp::now());
        let delay = retries.delay.as_ref().map(Delay::at);
        next.or_at(delay.map_or(due, |delay| delay.max(due)))
    }

    /// Returns the position of the event whose policy runs now and waits for no store.
    pub(super) fn in_hand(&self) -> Option<u64> {
        self.in_hand.get()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    /// Returns the maximum number of events of the next batch of `lane`. While the edge waits in
    /// front of the first one, the others need not be read.
    pub(super) fn limit(&mut self, lane: &Lane) -> usize {
        match self.delay.as_ref().and_then(Delay::waits_for) {
            Some(_) => 1,
            None => self.refusals.of(lane).limit(),
        }
    }
}

#[cfg(test)]
mod tests;
