//! Retries of events that are set aside.
//!
//! An event is retried with the removal of its row: one transaction has what its policy collects,
//! or changes in tables, and removes the row, if that is the first of its sequence. That is the
//! fence: whoever retries it, in however many processes, one of them commits, and the events of a
//! sequence are processed in order. The position does not move.

use std::error::Error as StdError;
use std::time::Duration;

use es_core::Timestamp;
use es_store::{
    Followed, Notification, NotificationQuery, Operation, PoliciesMove, Recording, SetAside,
    SetAsideChange, SetAsideQuery, UpstreamEvent,
};

use crate::application::Application;
use crate::error::{Error, ErrorKind, RetryLater};
use crate::follower::batch::{BatchLoop, Committed, InHand, Until};
use crate::follower::edge::{Edge, Pulled};
use crate::follower::events::Offered;
use crate::follower::failure::{CommitFailure, Failure};
use crate::follower::history::History;
use crate::follower::metrics::EdgeCounters;
use crate::follower::processor::Processor;
use crate::follower::refusals::Refusals;
use crate::follower::rules::{self, Attempts};
use crate::follower::{collecting, projecting};
use crate::policy::work::Work;

/// The time until an event that is newer than this program is tried again. A newer program may have
/// processed it by then.
const NEWER_PAUSE: Duration = Duration::from_secs(10);

/// The time until an event is tried again for which this program has no policy. Another program
/// may have it, or this one may be replaced.
const UNKNOWN_PAUSE: Duration = Duration::from_secs(600);

/// Retries events of one upstream.
#[derive(Clone, Copy)]
pub(super) struct Retrying<'a> {
    pub(super) processor: &'a Processor,
    pub(super) upstream: &'a Application,
    /// The event whose policy runs, for other threads to read.
    pub(super) in_hand: Option<&'a InHand>,
    pub(super) counters: &'a EdgeCounters,
    /// The head of the upstream when the follower began to follow it, if it is known.
    pub(super) began: Option<u64>,
    /// The policies for which the position counted when the row was read. The tables of a
    /// projection are others if it counts for others.
    pub(super) policies: &'a PoliciesMove,
}

/// The result of a retry.
#[derive(Debug)]
pub(super) enum Retried {
    /// The event is processed.
    Done {
        /// True if new events were recorded.
        recorded: bool,
    },
    /// The policy has failed again, and that is recorded.
    Failed {
        /// The failure.
        error: Error,
    },
}

impl Edge {
    /// Retries the event that is due first, if that is at `due` or before.
    pub(super) fn retry(&self, followed: &Followed, due: Timestamp) -> Result<Pulled, Failure> {
        let tag = self.processor.policies.tag.clone();
        let policies = PoliciesMove::new(followed.policies.clone(), tag);
        let retrying = Retrying {
            processor: &self.processor,
            upstream: &self.upstream,
            in_hand: Some(&self.in_hand),
            counters: &self.counters,
            began: followed.began,
            policies: &policies,
        };
        let due = SetAsideQuery::of(self.upstream.name())
            .firsts()
            .due(due)
            .limit(1);
        let due = self
            .follower()
            .on_store(|store| store.select_set_aside(&due))?;
        let Some(row) = due.first() else {
            // Another program has retried it.
            return Ok(Pulled::Retried { recorded: false });
        };
        let mut refusals = std::mem::take(&mut self.state().retries.refusals);
        let retried = retrying.retry(row, &mut refusals, None);
        self.state().retries.refusals = refusals;
        let recorded = match retried? {
            Retried::Done { recorded } => recorded,
            Retried::Failed { .. } => false,
        };
        Ok(Pulled::Retried { recorded })
    }
}

impl Retrying<'_> {
    /// Retries one event, which must be the first of its sequence. `operation` is recorded if it is
    /// processed.
    pub(super) fn retry(
        self,
        row: &SetAside,
        refusals: &mut Refusals,
        operation: Option<Operation>,
    ) -> Result<Retried, Failure> {
        self.processor.refuse_abandoned()?;
        if !self.processor.policies.declared.has(&row.topic) {
            let problem = format!(
                "this program has no policy for `{}`, and the events of its sequence wait behind \
                 it: discard the event, or run a program that has the policy",
                row.topic
            );
            let error = Error::configuration(self.processor.name(), problem);
            self.record_failure(row, Some(UNKNOWN_PAUSE), &error)?;
            return Ok(Retried::Failed { error });
        }
        let event = match self.event(row) {
            Err(error) if error.kind() == ErrorKind::BadData => {
                return self.failed(row, error, None);
            }
            event => event?,
        };
        let events = [event];
        let offered = Offered {
            upstream: self.upstream,
            events: &events,
            aside: None,
            began: self.began,
        };
        self.counters.count_retry();
        let failure = match self.attempt(row, offered, operation) {
            Ok(Committed {
                failed: None,
                recorded,
                ..
            }) => {
                refusals.passed(row.position);
                self.counters.count_mended(recorded);
                return Ok(Retried::Done {
                    recorded: recorded > 0,
                });
            }
            Ok(Committed {
                failed: Some(failed),
                ..
            }) => refusals.of_event(row.position, failed),
            Err(CommitFailure::Refused { error, .. }) => {
                refusals.of_commit(self.processor.name(), offered, error)
            }
            Err(CommitFailure::Other(failure)) => failure,
        };
        match failure {
            Failure::Policy(error) => self.failed(row, error, None),
            Failure::Newer(failure) => self.failed(row, Error::Policy(failure), Some(NEWER_PAUSE)),
            other => Err(other),
        }
    }

    fn attempt(
        self,
        row: &SetAside,
        offered: Offered<'_>,
        operation: Option<Operation>,
    ) -> Result<Committed, CommitFailure> {
        let batch_loop = BatchLoop {
            processor: self.processor,
            in_hand: self.in_hand,
            until: Until::PageEnds,
        };
        let done = SetAsideChange::Done {
            upstream: row.upstream.clone(),
            position: row.position,
        };
        match &self.processor.work {
            Work::Policies(policies) => {
                let recording = Recording::default().set_aside(done);
                let recording = operation.into_iter().fold(recording, Recording::operation);
                collecting::process(batch_loop, &**policies, offered, |_| recording)
            }
            Work::Projection(projection) => {
                let committed =
                    projecting::retry(batch_loop, &**projection, offered, (row, self.policies))?;
                self.record_operation(operation.filter(|_| committed.failed.is_none()));
                Ok(committed)
            }
        }
    }

    /// Records an operation behind a transaction that has none. Only the trace of it is lost if
    /// this fails.
    fn record_operation(self, operation: Option<Operation>) {
        let Some(operation) = operation else { return };
        let recording = Recording::default().operation(operation);
        if let Err(error) = self.processor.application.record(&recording) {
            let follower = self.processor.name();
            tracing::warn!(follower, %error, "an operation on a follower was not recorded");
        }
    }

    /// Reads the event from the upstream. Fails if the log has another one at its position.
    fn event(self, row: &SetAside) -> Result<Notification, Error> {
        let query = NotificationQuery::from(row.position)
            .up_to(row.position)
            .limit(1);
        let found = self.upstream.notification_log().query(&query)?;
        let found = found.into_iter().next();
        let mut followed = Followed::new(Some(row.position));
        followed.event = Some(row.event());
        let history = History {
            follower: self.processor.name(),
            upstream: self.upstream,
        };
        let identity = found
            .as_ref()
            .map(|found| UpstreamEvent::from(&found.event));
        history.verify(&followed, identity.as_ref())?;
        found.ok_or_else(|| history.gone(row.position))
    }

    /// Records that an attempt has failed, with the time of the next one. `pause` is the time until
    /// then, if it is not for the rule to decide.
    fn failed(
        self,
        row: &SetAside,
        error: Error,
        pause: Option<Duration>,
    ) -> Result<Retried, Failure> {
        let failure = match &error {
            Error::Policy(failure) => Some(failure),
            _ => None,
        };
        let attempts = Attempts {
            failures: row.attempts.saturating_add(1),
            asked: failure.and_then(|failure| RetryLater::delay_of(&*failure.error)),
        };
        let rule = self.processor.work.rule(&row.topic);
        let pause = pause.or_else(|| rules::set_aside(rule, attempts));
        self.record_failure(row, pause, &error)?;
        Ok(Retried::Failed { error })
    }

    fn record_failure(
        self,
        row: &SetAside,
        pause: Option<Duration>,
        error: &Error,
    ) -> Result<(), Failure> {
        let (follower, upstream) = (self.processor.name(), self.upstream.name());
        let (position, attempts) = (row.position, row.attempts.saturating_add(1));
        tracing::warn!(follower, upstream, position, attempts, %error,
            "an event that is set aside has failed again");
        let cause: &(dyn StdError + 'static) = match error {
            Error::Policy(failure) => &*failure.error,
            error => error,
        };
        let last = Timestamp::now();
        let failed = SetAsideChange::Failed {
            upstream: row.upstream.clone(),
            position,
            attempts,
            due: pause.map(|pause| last + pause),
            last,
            error: self.processor.application.sealed(cause),
        };
        self.processor.refuse_abandoned()?;
        let recording = Recording::default().set_aside(failed);
        self.processor.application.record(&recording)?;
        Ok(())
    }
}
