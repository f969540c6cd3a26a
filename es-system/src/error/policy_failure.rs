//! The failure of a policy.

use std::error::Error;
use std::fmt;

use es_core::{AggregateId, error_chain};

use crate::error::BoxError;

/// The failure of a policy: it returned an error, it panicked, or the event for it could not be
/// decoded.
///
/// The text includes all causes of the error in one line, for a log; the source is the error
/// itself.
#[derive(Debug)]
#[non_exhaustive]
pub struct PolicyFailure {
    /// The application that follows.
    pub application: String,
    /// The application that is followed.
    pub upstream: String,
    /// The position of the event that failed. Everything before it is processed.
    pub position: u64,
    /// The topic of the event.
    pub topic: String,
    /// The aggregate of the event.
    pub originator_id: AggregateId,
    /// The version of the event.
    pub originator_version: u64,
    /// The error that the policy returned, or the message of its panic.
    pub error: BoxError,
}

impl fmt::Display for PolicyFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            application,
            upstream,
            position,
            topic,
            originator_id,
            originator_version,
            error,
        } = self;
        let error = error_chain(&**error);
        write!(
            f,
            "{application}: the policy for `{topic}` failed at position {position} of `{upstream}` \
             (aggregate {originator_id}, version {originator_version}): {error}"
        )
    }
}

impl Error for PolicyFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.error)
    }
}
