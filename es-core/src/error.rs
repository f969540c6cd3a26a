//! The errors of the domain.

use crate::AggregateId;

/// A field of an event that could not be written or read.
///
/// The error names the field and the problem, and never shows the stored value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field `{key}`: {problem}")]
#[non_exhaustive]
pub struct FieldError {
    /// The key under which the field is stored.
    pub key: String,
    /// The problem.
    pub problem: String,
}

impl FieldError {
    /// Creates an error about the field stored under `key`.
    pub fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            problem: problem.into(),
        }
    }
}

/// An event that does not continue the aggregate to which it was applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The event belongs to another aggregate.
    #[error("event `{topic}` belongs to aggregate {found}, not to {expected}")]
    Originator {
        /// The topic of the event.
        topic: String,
        /// The aggregate that is rebuilt.
        expected: AggregateId,
        /// The aggregate that the event names.
        found: AggregateId,
    },
    /// The event is not the next one of the aggregate.
    #[error("event `{topic}` has version {found} where version {expected} comes next")]
    Version {
        /// The topic of the event.
        topic: String,
        /// The version that comes next.
        expected: u64,
        /// The version that the event has.
        found: u64,
    },
    /// The first event does not create the aggregate.
    #[error("event `{topic}` at version {version} comes first, but does not create the aggregate")]
    NotCreating {
        /// The topic of the event.
        topic: String,
        /// The version that the event has.
        version: u64,
    },
    /// A later event creates the aggregate again.
    #[error("event `{topic}` at version {version} creates an aggregate that exists already")]
    CreatedTwice {
        /// The topic of the event.
        topic: String,
        /// The version that the event has.
        version: u64,
    },
    /// The body of the event method panicked, or the type of a field panicked when it was read.
    #[error("event `{topic}` panicked at version {version}: {message}")]
    Panicked {
        /// The topic of the event.
        topic: String,
        /// The version that the event has.
        version: u64,
        /// The message of the panic.
        message: String,
    },
}
