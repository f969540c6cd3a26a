//! The three kinds of failure of a batch: the store's, the policy's, and the log's.

use std::sync::Arc;

use es_store::{Notification, StoreError};

use crate::error::{BoxError, PolicyFailure};
use crate::follower::Follower;
use crate::{Application, Error, ErrorKind};

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
    /// The log's: the upstream is not the one that was followed. The follower stops.
    Log(Error),
    /// The follower was stopped while its policy ran; nothing was committed.
    Abandoned,
}

impl Failure {
    /// Whether somebody else moved the position or changed an aggregate: to retry helps at once.
    pub(crate) fn is_conflict(&self) -> bool {
        match self {
            Self::Store(Error::Conflict { .. }) => true,
            Self::Store(Error::Store { source, .. }) => {
                matches!(**source, StoreError::PositionMoved { .. })
            }
            _ => false,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// Why the policy for one event failed.
pub(super) enum PolicyError {
    /// A store failed that it used: no failure of its own.
    Store(Error),
    /// It failed by itself.
    Own(Error),
}

/// What came of a policy: `None` if all went well. A read that failed within it (`store_failure`) makes the batch
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
    let source = outcome.err()?;
    if let Some(error) = source.downcast_ref::<Error>()
        && is_of_store(error)
    {
        return Some(PolicyError::Store(error.clone()));
    }
    Some(PolicyError::Own(Error::Policy(Arc::new(PolicyFailure {
        application: follower.name().to_owned(),
        upstream: upstream.name().to_owned(),
        position: notification.id,
        topic: notification.topic.clone().into_owned(),
        originator_id: notification.originator_id.clone(),
        originator_version: notification.originator_version,
        source,
    }))))
}

/// Whether an error goes away by itself, when the store does better.
pub(crate) fn is_of_store(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Store | ErrorKind::OutcomeUnknown)
}
