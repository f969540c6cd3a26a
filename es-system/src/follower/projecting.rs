//! A batch of a projection: its handlers run in the transaction that moves the position.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use es_store::{Head, Notification, StoreError, Tracking, Transaction};

use crate::application::Application;
use crate::application::batch::{self, Batch};
use crate::error::BoxError;
use crate::error::{Error, Result};
use crate::follower::failure::{self, Failure, PolicyError};
use crate::follower::positions::at;
use crate::follower::processing::{BATCH_TIME, tracking};
use crate::follower::{Follower, Step};
use crate::policy::received::Received;
use crate::policy::work::Project;

/// Which tables the handlers change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Those that are queried.
    Live,
    /// Those that a rebuild makes.
    Rebuild,
}

/// Events in one transaction.
#[derive(Clone, Copy)]
pub(super) struct Events<'a> {
    pub(super) projection: &'a dyn Project,
    pub(super) target: Target,
    pub(super) upstream: &'a Application,
    /// The position in front of them.
    pub(super) from: u64,
    pub(super) page: &'a [Notification],
}

/// What came of one transaction.
enum Outcome {
    /// It was committed, up to this position.
    Committed { to: u64 },
    /// Nothing was committed, because of the handler of the event with this index; `None` if the commit itself was refused.
    Failed { at: Option<usize>, error: Error },
}

impl Follower {
    /// Runs the handlers for a page, and moves the position with what they have written.
    pub(super) fn project(
        &self,
        projection: &dyn Project,
        upstream: &Application,
        from: u64,
        page: &[Notification],
        rest: Option<Head>,
    ) -> Result<Step, Failure> {
        let events = Events {
            projection,
            target: Target::Live,
            upstream,
            from,
            page,
        };
        self.project_events(events, rest)?;
        Ok(Step::Moved { recorded: false })
    }

    /// Processes events, in one transaction as a rule; says up to which position. If a handler fails, all is rolled back, those in front of
    /// it run again, and then the failing one alone.
    pub(super) fn project_events(
        &self,
        events: Events<'_>,
        rest: Option<Head>,
    ) -> Result<u64, Failure> {
        let (at, error) = match self.in_one_transaction(events, rest)? {
            Outcome::Committed { to } => return Ok(to),
            Outcome::Failed { at, error } => (at, error),
        };
        let Events { page, .. } = events;
        let before = match at {
            Some(at) => at,
            // A constraint is broken that is looked at when all is written: whose fault it is shows in smaller batches.
            None if page.len() > 1 => {
                let page = &page[..page.len() / 2];
                return self.project_events(Events { page, ..events }, None);
            }
            None => 0,
        };
        let Some(last) = before.checked_sub(1).and_then(|last| page.get(last)) else {
            return Err(Failure::Policy {
                error,
                recorded: false,
            });
        };
        let front = Events {
            page: &page[..before],
            ..events
        };
        let to = self.project_events(front, None)?;
        if to < last.id || self.is_finishing() {
            return Ok(to);
        }
        let alone = Events {
            from: to,
            page: &page[before..=before],
            ..events
        };
        self.project_events(alone, None)
    }

    fn in_one_transaction(
        &self,
        events: Events<'_>,
        rest: Option<Head>,
    ) -> Result<Outcome, Failure> {
        let Events { upstream, from, .. } = events;
        let mut ran = None;
        let work = &mut |tx: &mut Transaction<'_>| {
            let (done, failed) = self.run_handlers(events, tx, true);
            let tracking = self.move_to(events, rest.as_ref(), done);
            let is_kept = failed.is_none() && done > 0 && !self.is_abandoned();
            let to = tracking.to;
            ran = Some((done, to, failed));
            is_kept.then_some(tracking)
        };
        let tables = self.application.tables()?;
        let committed = match events.target {
            Target::Live => tables.process(upstream.name(), from, work),
            Target::Rebuild => tables.process_rebuild(upstream.name(), from, work),
        };
        match (committed, ran) {
            (_, Some((_, _, Some(PolicyError::Store(error))))) => Err(Failure::Store(error)),
            (_, Some((done, _, Some(PolicyError::Own(error))))) => Ok(Outcome::Failed {
                at: Some(done),
                error,
            }),
            (Ok(()), _) if self.is_abandoned() => Err(Failure::Abandoned),
            (Ok(()), ran) => {
                let to = ran.map_or(from, |(_, to, _)| to);
                Ok(Outcome::Committed { to })
            }
            (Err(error), Some((done, ..))) => self.judge_commit(events, done, error),
            (Err(error), None) => Err(self.application.store_error(error).into()),
        }
    }

    /// Whose failure it is that a transaction whose handlers went well was not committed.
    fn judge_commit(
        &self,
        events: Events<'_>,
        done: usize,
        error: StoreError,
    ) -> Result<Outcome, Failure> {
        let is_statements = matches!(error, StoreError::Statement { .. });
        let error = self.application.store_error(error);
        match events.page.first() {
            Some(first) if is_statements && done > 0 => Ok(Outcome::Failed {
                at: None,
                error: failure::policy_failure(self, events.upstream, first, Box::new(error)),
            }),
            _ => Err(error.into()),
        }
    }

    /// The move of the position past those that are done.
    fn move_to(&self, events: Events<'_>, rest: Option<&Head>, done: usize) -> Tracking {
        let Events {
            upstream,
            from,
            page,
            ..
        } = events;
        let last = done.checked_sub(1).and_then(|last| page.get(last));
        match (rest.filter(|_| done == page.len()), last) {
            (Some(head), _) => tracking(upstream, from, head.position, head.event.clone()),
            (None, Some(last)) => tracking(upstream, from, last.id, Some(at(last))),
            (None, None) => tracking(upstream, from, from, None),
        }
    }

    /// Runs the handlers, event by event, until the page ends or one fails, and if it is `limited` when the batch's time is
    /// over. Says how many events are done.
    pub(super) fn run_handlers(
        &self,
        events: Events<'_>,
        tx: &mut Transaction<'_>,
        limited: bool,
    ) -> (usize, Option<PolicyError>) {
        let (started, mut done, mut failure) = (Instant::now(), 0, None);
        let limit = match self.application.policy_timeout() {
            Ok(limit) => limit,
            Err(error) => return (0, Some(PolicyError::Own(error))),
        };
        let is_live = events.target == Target::Live;
        let batch = Rc::new(RefCell::new(Batch::default()));
        let bound = batch::bind(self.application.instance(), &batch);
        for notification in events.page {
            let is_over = done > 0 && started.elapsed() > BATCH_TIME;
            if limited && is_over || is_live && self.is_finishing() {
                break;
            }
            if is_live {
                self.in_hand
                    .position
                    .store(notification.id, Ordering::SeqCst);
            }
            failure = self.run_handler(events, notification, tx, &batch, limit);
            if failure.is_some() {
                break;
            }
            done += 1;
        }
        if is_live {
            self.in_hand.position.store(0, Ordering::SeqCst);
        }
        drop(bound);
        (done, failure)
    }

    fn run_handler(
        &self,
        events: Events<'_>,
        notification: &Notification,
        tx: &mut Transaction<'_>,
        batch: &Rc<RefCell<Batch>>,
        limit: Duration,
    ) -> Option<PolicyError> {
        let Events {
            projection,
            upstream,
            ..
        } = events;
        let received = Received {
            notification,
            upstream,
        };
        let started = Instant::now();
        let returned = projection.project(&received, tx);
        let elapsed = started.elapsed();
        let of_tables = tx
            .failure()
            .map(|failure| self.application.store_error(failure));
        let of_store = batch.borrow_mut().take_store_failure();
        // Beyond the limit the server may have ended the transaction: that is no failure of the store.
        if elapsed >= limit {
            let error: BoxError =
                format!("it took {elapsed:?}, and POLICY_TIMEOUT is {limit:?}").into();
            let error = failure::policy_failure(self, upstream, notification, error);
            return Some(PolicyError::Own(error));
        }
        let outcome = match (returned, of_tables) {
            (Ok(()), Some(error)) => Err(error.into()),
            (returned, _) => returned,
        };
        failure::of_policy(self, upstream, notification, outcome, of_store)
    }

    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::SeqCst)
    }
}
