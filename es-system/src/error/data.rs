//! The errors of events that cannot be written, read or applied.

use es_core::{AggregateId, ReplayError};
use es_store::{MapperError, StoreError};

/// The problem with an event.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DataProblem {
    /// It cannot be encoded or decoded.
    #[error(transparent)]
    Mapper(#[from] MapperError),
    /// It is an event of an aggregate of another type than the one that was asked for.
    #[error(
        "aggregate {id} has the event `{topic}`, so it is no `{asked}`: ask for the type that it is of"
    )]
    #[non_exhaustive]
    OtherAggregate {
        /// The aggregate.
        id: AggregateId,
        /// The event that was found.
        topic: String,
        /// The stored name of the type that was asked for.
        asked: &'static str,
    },
    /// Its row cannot be read, or written.
    #[error(transparent)]
    Row(StoreError),
    /// It cannot be applied.
    #[error("aggregate {id}: {problem}")]
    #[non_exhaustive]
    Replay {
        /// The aggregate that was rebuilt.
        id: AggregateId,
        /// The problem.
        problem: ReplayError,
    },
}
