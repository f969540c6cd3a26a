//! A pull of an edge: it reads what is recorded, and processes the events behind the position.

use std::time::{Duration, Instant};

use es_core::Timestamp;
use es_store::{Followed, Head, Operation, Recording};

use crate::error::Error;
use crate::follower::aside::{self, Aside};
use crate::follower::batch::{BatchLoop, Committed, Until};
use crate::follower::delay::Delay;
use crate::follower::edge::{Edge, Pulled, Turn};
use crate::follower::events::{EventSlice, Lane, Page};
use crate::follower::failure::{CommitFailure, Failure};
use crate::follower::history::History;
use crate::follower::metrics::CountedBatch;
use crate::follower::policies::Admitted;
use crate::follower::projecting::Target;
use crate::follower::steering::Beginning;
use crate::follower::step::Skips;
use crate::follower::{collecting, projecting};
use crate::policy::work::Work;

/// The shortest time between two writes of a position that only skips events.
const SKIP_INTERVAL: Duration = Duration::from_millis(100);

impl Edge {
    pub(super) fn pull(
        &self,
        now: Instant,
        skips: Skips,
        due: Timestamp,
        turn: Turn,
    ) -> Result<Pulled, Failure> {
        let left = self.state().left.take();
        let mut followed = self.follower().followed(self.upstream.name())?;
        self.see(&followed);
        if self.is_paused() {
            return Ok(Pulled::Nothing { or_at: None });
        }
        let from = followed.position.unwrap_or(0);
        let ahead = self
            .history()
            .verify_head(&followed, self.upstream.head()?)?;
        let admitted = self.admit(&followed, ahead.is_some(), now)?;
        if matches!(admitted, Admitted::Changed) {
            return Ok(Pulled::changed());
        }
        if self.takes_retry(turn, ahead.is_some(), (now, due)) {
            self.state().left = left;
            return self.retry(&followed, due);
        }
        let policies = match admitted {
            _ if turn == Turn::Retries => return Ok(Pulled::Nothing { or_at: None }),
            Admitted::Changed => return Ok(Pulled::changed()),
            Admitted::Replay(missed) => return self.replay(&followed, &missed, left),
            Admitted::Follow(policies) => policies,
        };
        let lane = Lane::Live(policies.clone());
        match self.begin(&mut followed, &policies, ahead.as_ref())? {
            Beginning::Reached => {}
            Beginning::Moved => return Ok(Pulled::changed()),
            Beginning::Passes(to) => return self.skip(&lane, from, to, now, skips),
            Beginning::NotYet => return Ok(Pulled::Nothing { or_at: None }),
        }
        let Some(head) = ahead else {
            self.state().is_verified = true;
            return self.rest(&followed, policies);
        };
        let limit = self.state().limit(&lane);
        let page =
            self.processor
                .next_page(left, lane, &self.upstream, from, head.clone(), limit)?;
        self.history().verify(&followed, page.start.as_ref())?;
        self.state().is_verified = true;
        if page.events.is_empty() {
            return self.skip(&page.lane, from, head, now, skips);
        }
        self.process(page, &followed)
    }

    /// Takes over what is recorded. Drops the cached and the kept aggregates of the follower if its
    /// recorded position went back, because then its own store was restored.
    fn see(&self, followed: &Followed) {
        let position = followed.position.unwrap_or(0);
        let former = std::mem::replace(&mut self.state().last_position, position);
        self.see_standing(followed);
        self.state().retries.due = followed.waiting.due.filter(|_| !self.is_paused());
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

    /// Processes the first events of a page, and sets aside those among them that have to wait.
    pub(super) fn process(&self, page: Page, followed: &Followed) -> Result<Pulled, Failure> {
        let lane = page.lane.clone();
        let aside = self.aside(&page, followed)?;
        let events = self.allowed(&page, aside.as_ref(), followed)?;
        let started = Instant::now();
        let committed = self.commit(events);
        let mut state = self.state();
        match committed {
            Ok(Committed {
                done,
                recorded,
                failed,
            }) => {
                let to = events.tracking(done).to;
                if done > 0 {
                    let aside = aside.as_ref();
                    self.counters.count_batch(&CountedBatch {
                        events: done,
                        set_aside: aside.map_or(0, |aside| aside.count(&page.events[..done])),
                        recorded,
                        time: started.elapsed(),
                    });
                    state.refusals.of(&lane).passed(to);
                    state.failed = None;
                    state.front.take_if(|front| front.position <= to);
                    if matches!(lane, Lane::Live(_)) {
                        state.last_position = to;
                    }
                }
                let failed = failed.map(|failed| (events.page[done].id, failed));
                state.left = page.behind(done, to);
                let failure =
                    failed.map(|(at, failed)| state.refusals.of(&lane).of_event(at, failed));
                match failure {
                    Some(failure) if done == 0 => Err(failure),
                    failure => Ok(Pulled::Batch {
                        recorded: recorded > 0,
                        failure,
                    }),
                }
            }
            Err(CommitFailure::Refused {
                error,
                events: refused,
            }) => {
                let refused = events.first(refused).offered();
                let refusals = state.refusals.of(&lane);
                Err(refusals.of_commit(self.processor.name(), refused, error))
            }
            Err(CommitFailure::Other(failure)) => Err(failure),
        }
    }

    /// Runs the policies for the first of these events, and commits what they make.
    fn commit(&self, events: EventSlice<'_>) -> Result<Committed, CommitFailure> {
        let batch_loop = BatchLoop {
            processor: &self.processor,
            in_hand: Some(&self.in_hand),
            until: Until::Finished,
        };
        match &self.processor.work {
            Work::Policies(policies) => {
                let recording = |done| events.recording(done);
                collecting::process(batch_loop, &**policies, events.offered(), recording)
            }
            Work::Projection(projection) => {
                projecting::process(batch_loop, &**projection, Target::Live, events)
            }
        }
    }

    /// Returns those events of a page that are set aside, if there are any.
    fn aside(&self, page: &Page, followed: &Followed) -> Result<Option<Aside>, Error> {
        let failed = self.state().failed.clone();
        let (application, upstream) = (self.follower(), self.upstream.name());
        let waiting = followed.waiting;
        Aside::read(
            application,
            upstream,
            waiting,
            &page.events,
            failed.as_ref(),
        )
    }

    /// Returns the first events of a page, up to the first one that would have to be set aside
    /// beyond the limit. Fails if there are none.
    fn allowed<'a>(
        &'a self,
        page: &'a Page,
        aside: Option<&'a Aside>,
        followed: &Followed,
    ) -> Result<EventSlice<'a>, Failure> {
        let events = EventSlice {
            aside,
            ..page.slice(&self.upstream, followed.began)
        };
        let Some(aside) = aside else {
            return Ok(events);
        };
        let waiting = followed.waiting.count;
        let room = self.processor.work.failures_max().saturating_sub(waiting);
        let allowed = aside.within(room, &page.events);
        if allowed == 0 {
            let full = aside::is_full(self.follower(), self.upstream.name(), waiting);
            return Err(Failure::Stop(full));
        }
        let allowed = if aside.has_failed() { 1 } else { allowed };
        Ok(events.first(allowed))
    }

    /// Returns true if a retry is due and is the next thing to do. Retries and batches take turns.
    fn takes_retry(&self, turn: Turn, has_events: bool, (now, due): (Instant, Timestamp)) -> bool {
        let is_due = self.retry_is_due(now, due);
        let retries = &mut self.state().retries;
        let must_wait = turn == Turn::Any && has_events && retries.had_turn;
        retries.had_turn = is_due && !must_wait;
        retries.had_turn
    }

    /// Returns true if a retry was due at the time `due`, and the pause after the last one that has
    /// failed is over.
    pub(super) fn retry_is_due(&self, now: Instant, due: Timestamp) -> bool {
        let retries = &self.state().retries;
        let is_pending = |delay: &Delay| delay.is_pending(now);
        retries.due.is_some_and(|next| next <= due)
            && !retries.delay.as_ref().is_some_and(is_pending)
    }

    /// Moves the position of `lane` past events that no policy wants, unless it has done so just
    /// now.
    fn skip(
        &self,
        lane: &Lane,
        from: u64,
        to: Head,
        now: Instant,
        skips: Skips,
    ) -> Result<Pulled, Failure> {
        let last_skip = self.state().last_skip;
        let due = last_skip.map(|last| last + SKIP_INTERVAL);
        if let (Skips::Later, Some(due)) = (skips, due.filter(|due| *due > now)) {
            return Ok(Pulled::Nothing { or_at: Some(due) });
        }
        self.move_past(lane, from, to, None)?;
        self.state().last_skip = Some(now);
        Ok(Pulled::changed())
    }

    /// Moves the position of `lane` from `from` to `to`, past events that no policy wants, and
    /// records an operation with it.
    pub(super) fn move_past(
        &self,
        lane: &Lane,
        from: u64,
        to: Head,
        operation: Option<Operation>,
    ) -> Result<(), Failure> {
        self.processor.refuse_abandoned()?;
        let tracking = lane.tracking(&self.upstream, from, to.position, to.event);
        let recording = Recording::default().tracking(tracking);
        let recording = operation.into_iter().fold(recording, Recording::operation);
        self.processor.application.record(&recording)?;
        Ok(())
    }
}
