//! The record of the event-sourcing library: stored events, positions and transactions.
//!
//! A *recorder* keeps the events of one application. Each event gets a *position* in the application's
//! notification log; a follower's recorder also keeps the position up to which it has processed
//! each upstream, and moves it in the transaction that records what came of it. There is one write
//! method for all of that, [`AggregateRecorder::record`]; snapshots, which only save work, have one of their own.
//!
//! This crate knows no aggregate: it stores topics and bytes. The bytes are made and read by the
//! [`Mapper`], in the format of the Python library `eventsourcing` 9.5.

mod cipher;
mod committer;
mod compressor;
mod env;
mod error;
mod mapper;
pub mod memory;
mod notification;
mod notification_log;
pub mod postgres;
mod projection;
mod recorder;
mod role;
mod signal;
pub mod sqlite;
mod store;
mod stored_event;
mod subscription;
pub mod testing;
mod tracking;
mod transaction;
mod transcoder;
mod watchman;

pub use cipher::create_key;
pub use env::{Env, EnvError, InMemory, KEYS, Key, KeyScope, Postgres, Settings, Sqlite, SslMode};
pub use error::{Conflict, MapperError, MapperProblem, StoreError};
pub use mapper::{Decoded, Mapper};
pub use notification::{Head, Notification, NotificationQuery};
pub use notification_log::{NotificationLog, Section};
pub use projection::{Access, CatchUp, End, Make, RebuildLock, Tables};
pub use recorder::{
    AggregateRecorder, ApplicationRecorder, EventQuery, History, ProcessRecorder, Recorded,
    Recording,
};
pub use role::Role;
pub use rusqlite;
pub use signal::{Listening, Signal, Signals};
pub use store::{StoreFactory, ddl, open};
pub use stored_event::StoredEvent;
pub use subscription::{StopHandle, Subscription};
pub use tracking::{Tracking, UpstreamEvent};
pub use transaction::{Column, FromValue, Row, SqlError, ToValue, Transaction, Value};

/// Bytes as the vectors of the format page have them.
#[cfg(test)]
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
