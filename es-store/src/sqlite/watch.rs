//! Noticing the commits of other connections.
//!
//! The thread of the [watcher](crate::watcher) looks at the version of the data. It is read before
//! the first listener's `listen` returns, so every commit after that is noticed.

use std::thread;
use std::time::Duration;

use es_core::error_chain;
use rusqlite::Connection;

use super::codes;
use crate::error::StoreError;
use crate::signal::{Listening, Signal, Signals};
use crate::sql::label::Label;
use crate::watcher::Watcher;

/// The time between two looks. One look takes some microseconds.
const EVERY: Duration = Duration::from_millis(20);

/// Rings signals after commits of other connections, while anyone listens.
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

    /// Watches until what is returned is dropped.
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
            // Whoever listens polls too, so a look that fails loses nothing.
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
