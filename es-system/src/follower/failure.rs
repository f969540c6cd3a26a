//! Failures of a batch, by their cause.

use std::sync::Arc;
use std::time::Duration;

use es_store::backoff::Backoff;
use es_store::{Conflict, MapperProblem, Remedy};

use crate::application::store_errors::StoreErrors;
use crate::error::{BoxError, DataProblem, Error, ErrorKind, PolicyFailure};
use crate::follower::policies::SteppedBack;
use crate::policy::newer_event::NewerEvent;
use crate::policy::received::Received;

/// The reason why an edge did not advance.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The store failed or is configured wrongly, or another writer was first. The batch runs again
    /// from the recorded position, without end, and no rule of the user applies.
    Retry {
        /// The failure.
        error: Error,
        /// The pause before the batch runs again.
        pause: Pause,
    },
    /// The policy failed. Everything before its event is committed, and the rule of the user
    /// applies to the event alone.
    Policy(Error),
    /// The next event is newer than this program. Everything before it is committed, and the edge
    /// waits in front of it.
    Newer(Arc<PolicyFailure>),
    /// The record is about other policies than those of this program. Nothing is processed, and the
    /// edge looks again after a while.
    SteppedBack(SteppedBack),
    /// The failure persists in every attempt: the upstream is another log than before, a row is
    /// damaged, a table is of an older release, or an application was closed. The follower stops.
    Stop(Error),
    /// The follower was stopped while its policy ran; nothing was committed.
    Abandoned,
}

/// The pause before a batch runs again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// No pause, because the next attempt has fewer events.
    None,
    /// No pause for the first two attempts, because another writer made progress.
    Contention,
    /// A pause that grows with each attempt.
    Backoff,
    /// A pause that grows further, because only an operator can repair the store.
    Configuration,
}

impl Pause {
    /// Returns the time of the pause after this number of failures in a row.
    pub(super) fn time(self, pauses: &Backoff, failures: u32) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Contention => pauses.pause(failures.saturating_sub(2)),
            Self::Backoff | Self::Configuration => pauses.pause(failures),
        }
    }

    /// Returns true if another writer was first.
    pub(super) fn is_contention(self) -> bool {
        match self {
            Self::None | Self::Contention => true,
            Self::Backoff | Self::Configuration => false,
        }
    }
}

impl Failure {
    /// Returns the error for somebody who waits for the work of `follower`, and does not try again.
    pub(super) fn into_error(self, follower: &str) -> Error {
        match self {
            Self::Retry { error, .. } | Self::Policy(error) | Self::Stop(error) => error,
            Self::Newer(event) => Error::Policy(event),
            Self::SteppedBack(back) => back.error,
            Self::Abandoned => Error::Usage(format!("{follower}: the runner was stopped")),
        }
    }

    /// Returns true if it is unknown whether the events of the batch were recorded.
    pub(super) fn may_have_recorded(&self) -> bool {
        matches!(self, Self::Retry { error, .. } if error.kind() == ErrorKind::OutcomeUnknown)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let pause = match error.remedy() {
            Remedy::RetryNow => Pause::Contention,
            Remedy::RetryLater => Pause::Backoff,
            Remedy::OtherConfiguration => Pause::Configuration,
            _ => return Self::Stop(error),
        };
        Self::Retry { error, pause }
    }
}

/// The reason why the events of a batch were not committed.
#[derive(Debug)]
pub(super) enum CommitFailure {
    /// The record refused the first `events` of the batch because of their content.
    Refused {
        /// The refusal.
        error: Error,
        /// The number of events.
        events: usize,
    },
    /// A failure that the events did not cause.
    Other(Failure),
}

impl CommitFailure {
    /// Classifies the failure of recording the first `events` of a batch.
    pub(super) fn of(error: Error, events: usize) -> Self {
        let is_conflict = error.kind() == ErrorKind::Conflict;
        if is_conflict || error.remedy() == Remedy::OtherContent {
            return Self::Refused { error, events };
        }
        Self::Other(error.into())
    }
}

impl From<Error> for CommitFailure {
    fn from(error: Error) -> Self {
        Self::Other(error.into())
    }
}

/// A version that a record has refused because it exists, and the application of that record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) application: String,
    pub(super) conflict: Conflict,
}

impl Refusal {
    pub(super) fn of(error: &Error) -> Option<Self> {
        match error {
            Error::Conflict {
                application,
                conflict,
                ..
            } => Some(Self {
                application: application.clone(),
                conflict: conflict.clone(),
            }),
            _ => None,
        }
    }
}

/// The reason why the policy for one event did not succeed.
#[derive(Debug)]
pub(super) enum EventFailure {
    /// A store that the policy used has failed, so the failure is not the policy's.
    Store(Error),
    /// An application refused a version that the policy saved to it. Either another writer was
    /// first, or the policy makes the same version each time.
    Refused {
        /// The failure to report if it turns out to be the policy's.
        error: Error,
        /// The refusal.
        refusal: Refusal,
    },
    /// The event is newer than this program.
    Newer(Arc<PolicyFailure>),
    /// The policy itself failed.
    Policy(Error),
}

impl EventFailure {
    /// Classifies the result of a policy by what it has returned and by the errors of the stores
    /// that it used. Returns `None` if all went well.
    ///
    /// If a store failed, the batch runs again, whatever the policy did with the error: it may have
    /// wrapped it, turned it into text or ignored it.
    pub(super) fn of(
        follower: &str,
        received: Received<'_>,
        returned: Result<(), BoxError>,
        store_errors: StoreErrors,
    ) -> Option<Self> {
        if let Some(error) = store_errors.failure {
            return Some(Self::Store(error));
        }
        let error = returned.err()?;
        if is_newer(received, &*error) {
            return Some(Self::Newer(Arc::new(failure_of(follower, received, error))));
        }
        let ours = library_error(&*error);
        if let Some(ours) = ours.filter(|error| error.is_of_store()) {
            return Some(Self::Store(ours.clone()));
        }
        let refusal = store_errors
            .conflict
            .as_ref()
            .or(ours)
            .and_then(Refusal::of);
        let error = policy_failure(follower, received, error);
        Some(match refusal {
            Some(refusal) => Self::Refused { error, refusal },
            None => Self::Policy(error),
        })
    }
}

/// Returns the failure of a policy, with the event at which it failed.
pub(super) fn policy_failure(follower: &str, received: Received<'_>, error: BoxError) -> Error {
    Error::Policy(Arc::new(failure_of(follower, received, error)))
}

fn failure_of(follower: &str, received: Received<'_>, error: BoxError) -> PolicyFailure {
    let event = received.notification;
    PolicyFailure {
        application: follower.to_owned(),
        upstream: received.upstream.name().to_owned(),
        position: event.id,
        topic: event.topic.clone().into_owned(),
        originator_id: event.originator_id.clone(),
        originator_version: event.originator_version,
        error,
    }
}

/// Returns true if the event is newer than this program: the dispatch table or the decoder of a
/// policy for all other events has found that out.
fn is_newer(received: Received<'_>, error: &(dyn std::error::Error + 'static)) -> bool {
    if error.is::<NewerEvent>() {
        return true;
    }
    let event = received.notification;
    let Some(Error::BadData { problem, .. }) = library_error(error) else {
        return false;
    };
    let DataProblem::Mapper(mapper) = &**problem else {
        return false;
    };
    matches!(mapper.problem, MapperProblem::NewerVersion { .. })
        && (&mapper.id, mapper.version) == (&event.originator_id, event.originator_version)
        && mapper.topic == event.topic
}

/// Returns the error of this library that `error` is or is caused by.
fn library_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(ours) = error.downcast_ref::<Error>() {
            return Some(ours);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_with_fewer_events_runs_at_once_and_a_contended_one_the_first_two_times() {
        let longest = Duration::from_secs(1);
        let pauses = Backoff::new(Duration::from_millis(10), longest);
        let times = |pause: Pause| [1, 2, 3, 4].map(|failures| pause.time(&pauses, failures));
        let millis = |times: [u64; 4]| times.map(Duration::from_millis);
        assert_eq!(times(Pause::None), millis([0, 0, 0, 0]));
        assert_eq!(times(Pause::Contention), millis([0, 0, 10, 20]));
        assert_eq!(times(Pause::Backoff), millis([10, 20, 40, 80]));
    }
}
