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
    /// It belongs to an aggregate of another type than the requested one.
    #[error(
        "aggregate {id} has the event `{topic}`, so it is not a `{asked}`: ask for the type of the event"
    )]
    #[non_exhaustive]
    OtherAggregate {
        /// The id of the aggregate.
        id: AggregateId,
        /// The topic of the event.
        topic: String,
        /// The stored name of the requested type.
        asked: &'static str,
    },
    /// Its row cannot be read or written.
    #[error(transparent)]
    Row(StoreError),
    /// It cannot be applied.
    #[error("aggregate {id}: {problem}")]
    #[non_exhaustive]
    Replay {
        /// The id of the aggregate.
        id: AggregateId,
        /// The problem.
        problem: ReplayError,
    },
}
