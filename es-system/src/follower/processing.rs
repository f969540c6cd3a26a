//! The batch itself: page, policies, recording.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use es_store::{Head, Notification, NotificationQuery, Recording, Tracking, UpstreamEvent};

use crate::application::batch::{self, Batch, Collected};
use crate::application::{Application, saving, snapshots};
use crate::error::{Error, ErrorKind, Result};
use crate::follower::failure::{self, Failure, PolicyError};
use crate::follower::positions::at;
use crate::follower::{Follower, Skips, Step};
use crate::policy::processing_event::ProcessingEvent;
use crate::policy::received::Received;
use crate::policy::work::Dispatch;

/// A batch ends after so many events.
pub(super) const BATCH_EVENTS: usize = 1_000;
/// A batch ends after so long.
pub(super) const BATCH_TIME: Duration = Duration::from_millis(200);
/// A position that only skipped events have moved is written this often at the most.
const SKIP_INTERVAL: Duration = Duration::from_millis(100);

impl Follower {
    /// The next events that a policy wants, and how many there are at the most. A damaged row does not keep those in
    /// front of it from being processed; itself it is a failure of its event.
    pub(super) fn page(
        &self,
        upstream: &Application,
        from: u64,
        head: u64,
    ) -> Result<(Vec<Notification>, usize), Failure> {
        let select = |limit| -> Result<_> {
            let query = NotificationQuery::after(from).up_to(head).limit(limit);
            let query = query.shared_topics(self.topics.clone());
            Ok((upstream.notification_log().query(&query)?, limit))
        };
        let one_at_a_time = self.progress().refusals.one_at_a_time();
        let page = select(if one_at_a_time { 1 } else { BATCH_EVENTS });
        match page {
            Err(error) if error.kind() == ErrorKind::BadData => Ok(select(1)?),
            page => Ok(page?),
        }
    }

    /// Runs the policies for a page and records what came of it. `rest` is the head of the upstream if nothing
    /// that a policy wants lies between the page and it.
    pub(super) fn process(
        &self,
        policies: &dyn Dispatch,
        upstream: &Application,
        from: u64,
        page: &[Notification],
        rest: Option<Head>,
    ) -> Result<Step, Failure> {
        let (batch, done, failure) = self.run_policies(policies, upstream, page);
        let failed = match failure {
            Some(PolicyError::Store(error)) => return Err(Failure::Store(error)),
            Some(PolicyError::Own(error)) => Some(error),
            None => None,
        };
        let mut recorded = false;
        if let Some(last) = done.checked_sub(1).map(|last| &page[last]) {
            let mut collected = batch.into_collected();
            let events = std::mem::take(&mut collected.events);
            recorded = !events.is_empty();
            let rest = rest.filter(|_| done == page.len());
            let tracking = match rest {
                Some(head) => tracking(upstream, from, head.position, head.event),
                None => tracking(upstream, from, last.id, Some(at(last))),
            };
            let recording = Recording::new(events).tracking(tracking);
            if let Err(failure) = self.record(&recording) {
                saving::forget(&self.application, &recording.events);
                let alone = (done == 1).then_some(&page[0]);
                return Err(self.judge_refusal(upstream, alone, failure));
            }
            self.after_commit(collected);
        }
        match failed {
            None => Ok(Step::Moved { recorded }),
            Some(error) => Err(Failure::Policy { error, recorded }),
        }
    }

    /// What is done with a batch's aggregates once their events are committed, and not before.
    fn after_commit(&self, collected: Collected) {
        if let Some(cache) = self.application.cache() {
            collected
                .aggregates
                .into_iter()
                .for_each(|saved| cache.put(saved));
        }
        snapshots::record(&self.application, &collected.snapshots);
    }

    /// Runs the policies, event by event, until the page or the batch ends, or one fails. Says how many
    /// events are done; what the failing one did is undone.
    fn run_policies(
        &self,
        policies: &dyn Dispatch,
        upstream: &Application,
        page: &[Notification],
    ) -> (Batch, usize, Option<PolicyError>) {
        let (started, mut done, mut failure) = (Instant::now(), 0, None);
        let batch = Rc::new(RefCell::new(Batch::default()));
        let bound = batch::bind(self.application.instance(), &batch);
        for notification in page {
            if self.is_finishing() || (done > 0 && started.elapsed() > BATCH_TIME) {
                break;
            }
            self.in_hand
                .position
                .store(notification.id, Ordering::SeqCst);
            failure = self.run_policy(policies, upstream, notification, &batch);
            if failure.is_some() {
                batch.borrow_mut().undo_event();
                break;
            }
            done += 1;
        }
        self.in_hand.position.store(0, Ordering::SeqCst);
        drop(bound);
        (batch.take(), done, failure)
    }

    fn run_policy(
        &self,
        policies: &dyn Dispatch,
        upstream: &Application,
        notification: &Notification,
        batch: &Rc<RefCell<Batch>>,
    ) -> Option<PolicyError> {
        batch.borrow_mut().begin_event();
        let processing = ProcessingEvent::new(self.application.clone(), batch.clone());
        let received = Received {
            notification,
            upstream,
        };
        let outcome = policies.dispatch(&received, processing);
        let store_failure = batch.borrow_mut().take_store_failure();
        failure::of_policy(self, upstream, notification, outcome, store_failure)
    }

    /// Moves the position past events that no policy wants.
    pub(super) fn skip(
        &self,
        upstream: &Application,
        from: u64,
        head: Head,
        skips: Skips,
    ) -> Result<Step, Failure> {
        let last_skip = self.progress().last_skip;
        let since = last_skip.map_or(SKIP_INTERVAL, |last| last.elapsed());
        if skips == Skips::Later && since < SKIP_INTERVAL {
            return Ok(Step::Skipped(SKIP_INTERVAL - since));
        }
        let tracking = tracking(upstream, from, head.position, head.event);
        self.record(&Recording::new(Vec::new()).tracking(tracking))?;
        self.progress().last_skip = Some(Instant::now());
        Ok(Step::Moved { recorded: false })
    }

    fn record(&self, recording: &Recording) -> Result<(), Failure> {
        if self.abandoned.load(Ordering::SeqCst) {
            return Err(Failure::Abandoned);
        }
        self.application.record(recording)?;
        Ok(())
    }

    /// Whose failure it is that the record has refused a batch. `alone` is the event, if the batch was one.
    fn judge_refusal(
        &self,
        upstream: &Application,
        alone: Option<&Notification>,
        failure: Failure,
    ) -> Failure {
        let Some(error) = failure.refused_content() else {
            return failure;
        };
        let position = alone.map(|event| event.id);
        let conflict = match &error {
            Error::Conflict { conflict, .. } => Some(conflict.clone()),
            _ => None,
        };
        let is_policys = self.progress().refusals.note(position, conflict);
        match alone.filter(|_| is_policys) {
            Some(event) => Failure::Policy {
                error: failure::policy_failure(self, upstream, event, Box::new(error)),
                recorded: false,
            },
            None => Failure::Store(error),
        }
    }
}

/// A move of the position in `upstream`, saying which event stands at its end, if it is known.
pub(super) fn tracking(
    upstream: &Application,
    from: u64,
    to: u64,
    event: Option<UpstreamEvent>,
) -> Tracking {
    let mut tracking = Tracking::new(upstream.name(), from, to);
    tracking.at = event;
    tracking
}
