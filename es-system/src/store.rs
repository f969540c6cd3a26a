//! Stored events, and the parts of a store.
//!
//! - Reading: [`NotificationLog`] and [`Subscription`], which
//!   [`Application::notification_log`](crate::Application::notification_log) returns,
//!   [`StoredEvent`], and [`Mapper`], which decodes one.
//! - Tables: [`ddl`] prints the statements that create them. [`Row`], [`FromValue`] and [`ToValue`]
//!   belong to [`Transaction`](crate::Transaction).
//! - Failures: [`StoreError`] is a failure of the store, and [`DataProblem`] a fault of stored
//!   data.
//! - Events that a follower has set aside: [`SetAside`] and [`SetAsideQuery`]; an [`Operation`] is
//!   what an operator did.
//! - A store of your own: it implements [`ProcessRecorder`], passes the suite `conformance_tests!`
//!   (with the cargo feature `testing`), and is given to an [`Env`](crate::Env) as a
//!   [`StoreFactory`].

pub use es_core::{IdType, ReplayError};

pub use es_store::{
    Access, AggregateRecorder, ApplicationRecorder, CatchUp, Column, Commits, Conflict, Decision,
    DecisionKind, Decoded, Digest, End, EnvError, Followed, FromValue, Head, History, InMemory,
    Listening, Make, Mapper, MapperError, MapperProblem, Notification, NotificationPage,
    NotificationQuery, Operation, OperationKind, PoliciesMove, PoliciesSwitch, PolicySet,
    PolicyTopic, Postgres, ProcessRecorder, RebuildLock, Recorded, Recording, Remedy, Replay, Role,
    Row, Section, SetAside, SetAsideChange, SetAsideQuery, Signal, Signals, Sqlite, SslMode,
    StopHandle, StoreError, StoreFactory, StoredEvent, Tables, ToValue, TopicChange, TopicFilter,
    Tracking, UpstreamEvent, Value, Waiting, create_key, ddl, memory, open,
};

#[cfg(feature = "testing")]
pub use es_store::conformance_tests;
#[cfg(feature = "postgres")]
pub use es_store::postgres;
#[cfg(all(feature = "driver", feature = "sqlite"))]
pub use es_store::rusqlite;
#[cfg(feature = "sqlite")]
pub use es_store::sqlite;

pub use crate::application::notification_log::{NotificationLog, Subscription};
pub use crate::error::DataProblem;
