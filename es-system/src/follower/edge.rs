//! One edge of a system: a follower and one application that it follows.
//!
//! Concurrency: one thread at a time takes steps of an edge, and only that thread changes its
//! state. Other threads read the state under the mutex, which is never held while a policy runs or
//! a store is called. The state does not decide which events are processed: the recorded position
//! does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use es_core::__private::panic_message;
use es_store::sync::lock;
use es_store::{Head, Recording};

use crate::application::Application;
use crate::error::{Error, Result};
use crate::follower::batch::{BatchLoop, Committed, InHand, Until};
use crate::follower::delay::Delay;
use crate::follower::events::{Lane, Page};
use crate::follower::failure::{CommitFailure, Failure};
use crate::follower::history::History;
use crate::follower::policies::{Admitted, Membership};
use crate::follower::processor::Processor;
use crate::follower::projecting::Target;
use crate::follower::refusals::LaneRefusals;
use crate::follower::status::{Condition, EdgeStatus};
use crate::follower::step::{Next, Skips, Step};
use crate::follower::{collecting, projecting};
use crate::policy::work::Work;

/// The shortest time between two writes of a position that only skips events.
const SKIP_INTERVAL: Duration = Duration::from_millis(100);

/// A follower's work on one of its upstreams.
pub(crate) struct Edge {
    pub(super) processor: Arc<Processor>,
    pub(super) upstream: Application,
    state: Mutex<State>,
    /// The event whose policy runs.
    in_hand: InHand,
    /// The number of events that were processed.
    processed: AtomicU64,
    /// The number of batches that were not committed because another writer was first.
    pub(super) conflicts: AtomicU64,
}

/// The state of an edge's work.
#[derive(Default)]
pub(super) struct State {
    /// True if the upstream is known to be the log that was followed before.
    is_verified: bool,
    /// The recorded position that the last batch found.
    last_position: u64,
    /// The part of the edge in following its upstream, beside other programs.
    pub(super) membership: Membership,
    refusals: LaneRefusals,
    pub(super) delay: Option<Delay>,
    /// The events of the last page that its batch has left. After a failure they are read again,
    /// because a damaged row may have been repaired.
    left: Option<Page>,
    /// The time of the last write of a position that only skipped events.
    last_skip: Option<Instant>,
    /// True if an attempt may have recorded events, or may still record them. The next attempt that
    /// reads the recorded position finds out.
    is_in_doubt: bool,
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
}

impl Edge {
    pub(super) fn new(processor: Arc<Processor>, upstream: Application) -> Self {
        Self {
            processor,
            upstream,
            state: Mutex::default(),
            in_hand: InHand::default(),
            processed: AtomicU64::new(0),
            conflicts: AtomicU64::new(0),
        }
    }

    pub(crate) fn upstream(&self) -> &Application {
        &self.upstream
    }

    pub(crate) fn follower(&self) -> &Application {
        &self.processor.application
    }

    /// Processes one batch, if there are events and the pause after a failure is over. It only
    /// waits for the stores and never sleeps: the caller waits as [`Step::next`] tells it.
    pub(crate) fn step(&self, now: Instant, skips: Skips) -> Step {
        if self.processor.stopped().is_some() {
            return Step::rest(Next::Never);
        }
        if let Some(delay) = &self.state().delay
            && delay.is_pending(now)
        {
            return Step::rest(Next::after(delay));
        }
        let began = Instant::now();
        let repairs = self.processor.repairs();
        // Panics of policies are caught one by one. Any other panic is a defect of this library and
        // must not fail a command.
        let pull = || self.pull(now, skips);
        let pulled = catch_unwind(AssertUnwindSafe(pull)).unwrap_or_else(|panic| {
            let defect = Error::Defect {
                application: self.processor.name().to_owned(),
                message: panic_message(panic),
            };
            Err(Failure::Stop(defect))
        });
        let now = now + began.elapsed();
        match pulled {
            Ok(Pulled::Nothing { or_at }) => {
                let was_in_doubt = self.succeeded();
                Step {
                    changed: was_in_doubt,
                    recorded: was_in_doubt,
                    next: Next::WhenPrompted { or_at },
                }
            }
            Ok(Pulled::Batch { recorded, failure }) => {
                let was_in_doubt = self.succeeded();
                let next =
                    failure.map_or(Next::AtOnce, |failure| self.failed(failure, now, repairs));
                Step {
                    changed: true,
                    recorded: recorded || was_in_doubt,
                    next,
                }
            }
            Err(failure) => {
                let is_in_doubt = failure.may_have_recorded();
                self.state().is_in_doubt |= is_in_doubt;
                Step {
                    changed: true,
                    recorded: is_in_doubt,
                    next: self.failed(failure, now, repairs),
                }
            }
        }
    }

    /// Ends a series of failures. Returns true if one of them may have recorded events.
    fn succeeded(&self) -> bool {
        let mut state = self.state();
        state.delay = None;
        std::mem::take(&mut state.is_in_doubt)
    }

    /// Ends a pause between two attempts, so that the next step tries again at once.
    pub(crate) fn end_pause(&self) {
        if let Some(delay) = &mut self.state().delay {
            delay.end();
        }
    }

    /// Returns the recorded position; 0 is before the first event.
    pub(crate) fn position(&self) -> Result<u64> {
        let position = self.follower().position_in(self.upstream.name())?;
        Ok(position.unwrap_or(0))
    }

    /// Returns the position behind which events are processed next: that of the replay, if there is
    /// one.
    pub(crate) fn next_position(&self) -> Result<u64> {
        let found = self.follower().followed(self.upstream.name())?;
        let replay = found.replay.map(|replay| replay.position);
        Ok(replay.or(found.position).unwrap_or(0))
    }

    /// Returns the number of events that this edge has processed.
    pub(crate) fn processed(&self) -> u64 {
        self.processed.load(Ordering::Relaxed)
    }

    /// Has the edge wait for the next step to verify the upstream again.
    pub(crate) fn doubt_history(&self) {
        self.state().is_verified = false;
    }

    /// Returns true if the upstream is known to be the log that was followed before.
    pub(crate) fn has_verified(&self) -> bool {
        self.state().is_verified
    }

    fn has_stopped(&self) -> bool {
        self.processor.stopped().is_some()
    }

    /// Returns true if the edge follows with all its policies, and nothing is left to be replayed.
    pub(crate) fn is_settled(&self) -> bool {
        self.state().membership.is_settled()
    }

    /// Returns the position of the event whose policy runs now and waits for no store.
    pub(super) fn in_hand(&self) -> Option<u64> {
        self.in_hand.get()
    }

    pub(crate) fn condition(&self) -> Condition {
        if let Some(error) = self.processor.stopped() {
            return Condition::Stopped { error };
        }
        let state = self.state();
        let names = (self.processor.name(), self.upstream.name());
        let delay = state.delay.as_ref();
        delay.map_or(Condition::Running, |delay| delay.condition(names))
    }

    /// Returns the error of a store that is configured wrongly, once it is to be reported.
    pub(super) fn misconfigured(&self) -> Option<Error> {
        self.state().delay.as_ref()?.misconfigured()
    }

    /// Returns the status of the edge. The position is not read if `can_read` is false.
    pub(super) fn status(&self, can_read: bool) -> EdgeStatus {
        let position = if can_read { self.position().ok() } else { None };
        let waits_at = self
            .state()
            .delay
            .as_ref()
            .and_then(Delay::newer_event)
            .map(|e| e.position);
        let condition = match waits_at {
            // Another program has processed the event, and this edge has not looked again yet.
            Some(at) if position >= Some(at) && self.is_settled() && !self.has_stopped() => {
                Condition::Running
            }
            _ => self.condition(),
        };
        EdgeStatus {
            upstream: self.upstream.name().to_owned(),
            position,
            condition,
            conflicts: self.conflicts.load(Ordering::Relaxed),
        }
    }

    fn pull(&self, now: Instant, skips: Skips) -> Result<Pulled, Failure> {
        let left = self.state().left.take();
        let followed = self.follower().followed(self.upstream.name())?;
        let from = followed.position.unwrap_or(0);
        self.see_position(from);
        let history = self.history();
        let ahead = history.verify_head(&followed, self.upstream.head()?)?;
        let policies = match self.admit(&followed, ahead.is_some(), now)? {
            Admitted::Follow(policies) => policies,
            Admitted::Replay(missed) => return self.replay(&followed, &missed, left),
            Admitted::Changed => return Ok(Pulled::changed()),
        };
        let Some(head) = ahead else {
            self.state().is_verified = true;
            return self.rest(&followed, policies);
        };
        let lane = Lane::Live(policies);
        let limit = self.state().limit(&lane);
        let page =
            self.processor
                .next_page(left, lane, &self.upstream, from, head.clone(), limit)?;
        history.verify(&followed, page.start.as_ref())?;
        self.state().is_verified = true;
        if page.events.is_empty() {
            return self.skip(page, head, now, skips);
        }
        self.process(page)
    }

    /// Drops the cached and the kept aggregates of the follower if its recorded position went back,
    /// because then its own store was restored.
    fn see_position(&self, position: u64) {
        let former = std::mem::replace(&mut self.state().last_position, position);
        if position < former {
            self.follower().forget_all();
            drop(self.processor.take_kept());
        }
    }

    /// Returns the history of the upstream, for verification.
    pub(super) fn history(&self) -> History<'_> {
        History {
            follower: self.processor.name(),
            upstream: &self.upstream,
        }
    }

    /// Processes the first events of a page.
    pub(super) fn process(&self, page: Page) -> Result<Pulled, Failure> {
        let events = page.slice(&self.upstream);
        let batch_loop = BatchLoop {
            processor: &self.processor,
            in_hand: Some(&self.in_hand),
            until: Until::Finished,
        };
        let committed = match &self.processor.work {
            Work::Policies(policies) => collecting::process(batch_loop, &**policies, events),
            Work::Projection(projection) => {
                projecting::process(batch_loop, &**projection, Target::Live, events)
            }
        };
        let mut state = self.state();
        match committed {
            Ok(Committed {
                done,
                recorded,
                failed,
            }) => {
                let to = events.tracking(done).to;
                self.processed.fetch_add(done as u64, Ordering::Relaxed);
                if done > 0 {
                    state.refusals.of(&page.lane).passed(to);
                }
                let Some(failed) = failed else {
                    state.left = page.behind(done, to);
                    let failure = None;
                    return Ok(Pulled::Batch { recorded, failure });
                };
                let refusals = state.refusals.of(&page.lane);
                match refusals.of_event(events.page[done].id, failed) {
                    failure if done == 0 => Err(failure),
                    failure => Ok(Pulled::Batch {
                        recorded,
                        failure: Some(failure),
                    }),
                }
            }
            Err(CommitFailure::Refused {
                error,
                events: refused,
            }) => {
                let refused = events.first(refused);
                let refusals = state.refusals.of(&page.lane);
                Err(refusals.of_commit(self.processor.name(), refused, error))
            }
            Err(CommitFailure::Other(failure)) => Err(failure),
        }
    }

    /// Moves the position past events that no policy wants.
    fn skip(&self, page: Page, head: Head, now: Instant, skips: Skips) -> Result<Pulled, Failure> {
        let last_skip = self.state().last_skip;
        let due = last_skip.map(|last| last + SKIP_INTERVAL);
        if let (Skips::Later, Some(due)) = (skips, due.filter(|due| *due > now)) {
            return Ok(Pulled::Nothing { or_at: Some(due) });
        }
        self.move_past(&page.lane, page.from, head)?;
        self.state().last_skip = Some(now);
        Ok(Pulled::changed())
    }

    /// Moves the position of `lane` from `from` to `to`, past events that no policy wants.
    pub(super) fn move_past(&self, lane: &Lane, from: u64, to: Head) -> Result<(), Failure> {
        self.processor.refuse_abandoned()?;
        let tracking = lane.tracking(&self.upstream, from, to.position, to.event);
        let recording = Recording::new(Vec::new()).tracking(tracking);
        self.processor.application.record(&recording)?;
        Ok(())
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
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

impl State {
    /// Returns the maximum number of events of the next batch of `lane`. While the first one is
    /// newer than this program, the others need not be read.
    pub(super) fn limit(&mut self, lane: &Lane) -> usize {
        match self.delay.as_ref().and_then(Delay::newer_event) {
            Some(_) => 1,
            None => self.refusals.of(lane).limit(),
        }
    }
}
