//! The names that a program with aggregates, applications and systems uses:
//! `use es_system::prelude::*;`.

pub use std::time::Duration;

pub use serde::{Deserialize, Serialize};
pub use uuid::Uuid;

pub use crate::operating::Operate as _;
pub use crate::{
    Aggregate, AggregateId, DomainEvent, Env, Error, ErrorKind, EventQuery, ExecuteError,
    FieldError, MultiThreadedRunner, ProcessingEvent, Result, RetryLater, Runner, Settings,
    SingleThreadedRunner, StoredState, System, Timestamp, Transaction, UndecodedEvent, pipes,
};
pub use es_macros::{aggregate, application, event, id, policy, process_application, projection};
