//! The kinds of failure of a batch: the store's, the policy's, and what no retry mends.

use std::sync::Arc;

use es_store::{Notification, StoreError};

use crate::application::Application;
use crate::error::{BoxError, PolicyFailure};
use crate::error::{Error, ErrorKind};
use crate::follower::Follower;

/// Why a batch did not commit, or not whole.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The store's: nothing was committed. The position is read again and the batch runs again, with backoff,
    /// without end; no rule of the user applies.
    Store(Error),
    /// The policy's: what came before is committed, and the user's rule applies to the failing event alone.
    Policy {
        /// What the policy said, and of which event.
        error: Error,
        /// Whether new events were recorded for those before it.
        recorded: bool,
    },
    /// What no retry mends: the upstream is not the one that was followed, a row is damaged, a table is of an older
    /// release, an application was closed. The follower stops.
    Stop(Error),
    /// The follower was stopped while its policy ran; nothing was committed.
    Abandoned,
}

impl Failure {
    /// Whether somebody else moved the position or changed an aggregate: to retry helps at once.
    pub(crate) fn is_conflict(&self) -> bool {
        match self {
            Self::Store(Error::Conflict { .. }) => true,
            Self::Store(Error::Store { problem, .. }) => {
                matches!(**problem, StoreError::PositionMoved { .. })
            }
            _ => false,
        }
    }

    /// The error, if the record has refused what the batch's events are.
    pub(super) fn refused_content(&self) -> Option<Error> {
        match self {
            Self::Store(error @ Error::Conflict { .. })
            | Self::Stop(error @ Error::BadData { .. }) => Some(error.clone()),
            _ => None,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if error.is_of_store() || error.kind() == ErrorKind::Conflict {
            Self::Store(error)
        } else {
            Self::Stop(error)
        }
    }
}

/// Why the policy for one event failed.
pub(super) enum PolicyError {
    /// A store failed that it used, or somebody else was first: no failure of its own.
    Store(Error),
    /// It failed by itself.
    Own(Error),
}

/// What came of a policy: `None` if all went well. A store that failed within it (`store_failure`) makes the batch
/// run again, whatever the policy made of it.
pub(super) fn of_policy(
    follower: &Follower,
    upstream: &Application,
    notification: &Notification,
    outcome: Result<(), BoxError>,
    store_failure: Option<Error>,
) -> Option<PolicyError> {
    if let Some(error) = store_failure {
        return Some(PolicyError::Store(error));
    }
    let error = outcome.err()?;
    let ours = library_error(&*error);
    if let Some(ours) = ours.filter(|e| e.is_of_store() || e.kind() == ErrorKind::Conflict) {
        return Some(PolicyError::Store(ours.clone()));
    }
    Some(PolicyError::Own(policy_failure(
        follower,
        upstream,
        notification,
        error,
    )))
}

/// The failure of a policy, saying which event it failed at.
pub(super) fn policy_failure(
    follower: &Follower,
    upstream: &Application,
    notification: &Notification,
    error: BoxError,
) -> Error {
    Error::Policy(Arc::new(PolicyFailure {
        application: follower.name().to_owned(),
        upstream: upstream.name().to_owned(),
        position: notification.id,
        topic: notification.topic.clone().into_owned(),
        originator_id: notification.originator_id.clone(),
        originator_version: notification.originator_version,
        error,
    }))
}

/// This library's error, if it is one or is caused by one.
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
