//! Event-sourced applications, connected into systems that process each event exactly once.

pub mod prelude;

mod aggregates;
mod application;
mod batch;
mod error;
mod follower;
mod notification_log;
mod policy;
mod processing_event;
mod repository;
mod runner;
mod status;
mod system;
mod topics;

#[doc(hidden)]
pub mod __private;

pub use aggregates::Aggregates;
pub use application::{Application, Leader};
pub use error::{Error, ErrorKind, Lag, NotIdle, PolicyFailure, Result};
pub use notification_log::{NotificationLog, Subscription};
pub use policy::Follower;
pub use processing_event::ProcessingEvent;
pub use repository::Repository;
pub use runner::{MultiThreadedRunner, Runner, SingleThreadedRunner};
pub use status::{Condition, FollowerStatus};
pub use system::{Node, Pipes, System};

pub use es_core::{
    Aggregate, AggregateId, DomainEvent, EventKind, EventPayload, EventSet, FieldError,
    FieldReader, FieldWriter, HasState, IdType, PendingEvent, ReplayError, Root, StoredField,
    Timestamp, TimestampError, source,
};
pub use es_store::{
    self as store, Env, EnvError, Notification, NotificationQuery, Recorded, Role, Section,
    StopHandle, StoreError,
};

pub use es_macros::{aggregate, application, event, id, policy, process_application};

/// For tests: a clock and ids that can be foretold, and recorders that fail when they are told to.
pub mod testing {
    pub use es_core::testing::*;
    pub use es_store::testing::*;
}
