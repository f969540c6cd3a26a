//! Failures of a batch, by whose they are.

use std::sync::Arc;

use es_store::{Conflict, StoreError};

use crate::application::batch::StoreErrors;
use crate::error::{BoxError, Error, ErrorKind, PolicyFailure};
use crate::policy::received::Received;

/// The reason why an edge did not get on.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The batch is to run again, without end; no rule of the user applies. The store failed, or another writer
    /// was first. The position is read again.
    Retry {
        /// The failure.
        error: Error,
        /// How soon to run it again.
        pause: Pause,
    },
    /// The policy's: everything before its event is committed, and the user's rule applies to the event alone.
    Policy(Error),
    /// What no retry mends: the upstream is not the one that was followed, a row is damaged, a table is
    /// of an older release, an application was closed. The follower stops.
    Stop(Error),
    /// The follower was stopped while its policy ran; nothing was committed.
    Abandoned,
}

/// How soon a batch runs again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// At once, because the next attempt is another one: it has fewer events.
    None,
    /// At once for the first two times, because another writer got on.
    Contention,
    /// After a pause that grows.
    Backoff,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let pause = match &error {
            Error::Conflict { .. } => Pause::Contention,
            Error::Store { problem, .. }
                if matches!(**problem, StoreError::PositionMoved { .. }) =>
            {
                Pause::Contention
            }
            error if error.is_of_store() => Pause::Backoff,
            _ => return Self::Stop(error),
        };
        Self::Retry { error, pause }
    }
}

/// The reason why the events of a batch were not committed.
#[derive(Debug)]
pub(super) enum CommitFailure {
    /// The record refused the first `events` of the batch for what they are.
    Refused {
        /// The refusal.
        error: Error,
        /// The number of events.
        events: usize,
    },
    /// A failure that has nothing to do with the events.
    Other(Failure),
}

impl CommitFailure {
    /// The failure of recording what came of the first `events` of a batch.
    pub(super) fn of(error: Error, events: usize) -> Self {
        match error.kind() {
            ErrorKind::Conflict | ErrorKind::BadData => Self::Refused { error, events },
            _ => Self::Other(error.into()),
        }
    }
}

impl From<Error> for CommitFailure {
    fn from(error: Error) -> Self {
        Self::Other(error.into())
    }
}

/// A version that a record has refused because it is there already, and whose record that is.
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
    /// A store that it used failed: no failure of its own.
    Store(Error),
    /// An application that it saved to refused a version: another writer's doing, or its own if it makes the
    /// same version each time.
    Refused {
        /// The failure of the policy, if it is one.
        error: Error,
        /// The refusal.
        refusal: Refusal,
    },
    /// The policy failed by itself.
    Policy(Error),
}

impl EventFailure {
    /// Judges what a policy has returned, and what the stores that it used have answered it (`met`); `None` if all went
    /// well.
    ///
    /// A store that failed makes the batch run again, whatever the policy made of it: its error may be wrapped in
    /// one of the user's, turned into text, or passed over.
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

/// The failure of a policy, with the event that it failed at.
pub(super) fn policy_failure(follower: &str, received: Received<'_>, error: BoxError) -> Error {
    let event = received.notification;
    Error::Policy(Arc::new(PolicyFailure {
        application: follower.to_owned(),
        upstream: received.upstream.name().to_owned(),
        position: event.id,
        topic: event.topic.clone().into_owned(),
        originator_id: event.originator_id.clone(),
        originator_version: event.originator_version,
        error,
    }))
}

/// This library's error, if `error` is one or is caused by one.
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
