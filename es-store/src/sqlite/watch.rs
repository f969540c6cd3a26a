//! Notices the commits of other connections.
//!
//! The thread of the [watcher](crate::watcher) polls SQLite's `data_version`. It is read before the
//! first listener's `listen` returns, so every later commit is noticed.

use std::thread;
use std::time::Duration;

use es_core::error_chain;
use rusqlite::Connection;

use super::codes;
use crate::error::StoreError;
use crate::signal::{Listening, Signal, Signals};
use crate::sql::label::Label;
use crate::watcher::Watcher;

/// The interval of polling. One poll takes some microseconds.
const EVERY: Duration = Duration::from_millis(20);

/// Rings signals after commits of other connections, while there are listeners.
pub(super) struct Watch {
    signals: Signals,
    watcher: Watcher,
}

impl Watch {
    pub(super) fn new(signals: Signals) -> Self {
        Self {
            signals,
            watcher: Watcher::default(),
        }
    }

    /// Watches until the returned registration is dropped.
    pub(super) fn join(
        &self,
        connect: impl FnOnce() -> Result<Connection, StoreError>,
        label: &Label,
    ) -> Result<Listening, StoreError> {
        self.watcher.join(|stop| {
            let (connection, signals) = (connect()?, self.signals.clone());
            let seen = data_version(&connection)
                .map_err(|error| codes::failed(label, "listening", error))?;
            thread::Builder::new()
                .name("es-sqlite-watch".to_owned())
                .spawn(move || watch(&connection, seen, &signals, &stop))
                .map_err(|error| label.no_thread(error))
        })
    }
}

fn watch(connection: &Connection, mut seen: i64, signals: &Signals, stop: &Signal) {
    while stop.wait(0, EVERY) == 0 {
        match data_version(connection) {
            Ok(version) if version == seen => {}
            Ok(version) => {
                seen = version;
                signals.ring();
            }
            // Listeners poll as well, so a failure loses nothing.
            Err(error) => {
                let error = error_chain(&error);
                tracing::debug!(%error, "looking for commits of other connections failed");
            }
        }
    }
}

fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))
}
