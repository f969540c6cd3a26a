//! The record of the event-sourcing library: stored events, positions and transactions.
//!
//! A *recorder* keeps the events of one application. Each event gets a *position* in the
//! application's notification log. A follower's recorder also keeps the position up to which it has
//! processed each upstream, and moves that position in the transaction that records the resulting
//! events. One method writes all of that, [`AggregateRecorder::record`]. Snapshots only save work,
//! and have a method of their own.
//!
//! This crate knows no aggregates: it stores topics and bytes. The [`Mapper`] encodes and decodes
//! the bytes, in the format of the Python library `eventsourcing` 9.5.

mod checkup;
mod cipher;
mod commits;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod committer;
mod compressor;
mod digest;
mod env;
mod error;
mod event_query;
mod followed;
mod format;
mod mapper;
pub mod memory;
mod notification;
mod notification_log;
mod operation;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "postgres")]
// Much of it serves handlers of the user's own, which reach it only with the feature `driver`.
#[cfg_attr(not(feature = "driver"), allow(dead_code, unreachable_pub))]
mod postgres_client;
mod projection;
mod rebuild_lock;
mod recorder;
mod recording;
mod role;
mod set_aside;
mod signal;
// Without a database, nothing opens the transactions that the traits of a store mention.
#[doc(hidden)]
pub mod backoff;
#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(dead_code, unused_imports)
)]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod store;
mod stored_event;
mod subscription;
#[doc(hidden)]
pub mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod topic_filter;
mod tracking;
mod transcoder;
mod upstream_event;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod watcher;

pub use checkup::{Checkup, Connections, Finding, TopicCount, Verdict};
pub use cipher::create_key;
pub use commits::Commits;
pub use digest::Digest;
pub use env::{
    Env, InMemory, KEYS, Key, KeyScope, Postgres, Settings, Sqlite, SslMode, StoreFactory,
};
pub use error::{Conflict, EnvError, MapperError, MapperProblem, Remedy, StoreError};
pub use event_query::{EventQuery, History};
pub use followed::{Followed, PoliciesMove, PolicySet, PolicyTopic, Replay, TopicChange};
pub use mapper::{Decoded, Mapper};
pub use notification::{Head, Notification, NotificationPage, NotificationQuery, PAGE_BYTES};
pub use notification_log::{NotificationLog, Section};
pub use operation::{Operation, OperationKind};
pub use projection::{CatchUp, Make, PoliciesSwitch, Tables};
pub use rebuild_lock::RebuildLock;
pub use recorder::{AggregateRecorder, ApplicationRecorder, ProcessRecorder};
pub use recording::{Recorded, Recording};
pub use role::Role;
#[cfg(all(feature = "driver", feature = "sqlite"))]
pub use rusqlite;
pub use set_aside::{Decision, DecisionKind, SetAside, SetAsideChange, SetAsideQuery, Waiting};
pub use signal::{Listening, Signal, Signals};
pub use sql::transaction::{
    Access, Column, End, FromValue, Row, SqlError, ToValue, Transaction, Value,
};
pub use store::{ddl, open};
pub use stored_event::StoredEvent;
pub use subscription::{StopHandle, Subscription};
pub use topic_filter::TopicFilter;
pub use tracking::Tracking;
pub use upstream_event::UpstreamEvent;

/// Returns bytes as the test vectors of the format page show them.
#[cfg(test)]
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
