//! Connections and their settings.

use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{busy, codes, location};
use crate::error::StoreError;
use crate::sql::label::Label;

/// The options with which a database is opened.
#[derive(Debug, Clone)]
pub(super) struct SqliteOptions {
    /// A path, a URI, or `:memory:`.
    pub(super) name: String,
    /// The time to wait for a lock.
    pub(super) lock_timeout: Duration,
    /// The time that a busy writer rests once a second; `None` is the default pace.
    pub(super) rest: Option<Duration>,
    /// True if missing tables are created.
    pub(super) create: bool,
}

/// The number of statements that a connection keeps prepared. It is above the number of statements
/// that the library has.
const PREPARED: usize = 64;

impl SqliteOptions {
    pub(super) fn label(&self) -> Label {
        Label::new(&self.name, self.lock_timeout, "SQLITE_LOCK_TIMEOUT")
    }

    /// Opens a connection to a database in memory that no other connection has.
    pub(super) fn connect_memory(&self) -> Result<Connection, StoreError> {
        let opened = Connection::open_in_memory();
        let connection = opened.map_err(|error| self.failed(error))?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        Ok(connection)
    }

    /// Opens the connection that writes to a file.
    pub(super) fn connect_writer(&self) -> Result<Connection, StoreError> {
        let connection = self.connect(self.create)?;
        self.make_durable(&connection)
            .map_err(|error| self.failed(error))?;
        Ok(connection)
    }

    /// Opens a connection that reads from a file, which exists.
    pub(super) fn connect_reader(&self) -> Result<Connection, StoreError> {
        let connection = self.connect(false)?;
        connection
            .pragma_update(None, "query_only", true)
            .map_err(|error| self.failed(error))?;
        Ok(connection)
    }

    fn connect(&self, create: bool) -> Result<Connection, StoreError> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if create || location::says_mode(&self.name) {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let mut connection = Connection::open_with_flags(&self.name, flags)
            .map_err(|error| self.cannot_open(error))?;
        connection
            .busy_handler(Some(busy::handler(self.lock_timeout)))
            .map_err(|error| self.failed(error))?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        Ok(connection)
    }

    /// Creates the error of a file that cannot be opened. SQLite does not give the reason; this
    /// message does, as far as it can be found.
    fn cannot_open(&self, error: rusqlite::Error) -> StoreError {
        if error.sqlite_error_code() != Some(ErrorCode::CannotOpen) {
            return self.failed(error);
        }
        let path = location::path(&self.name);
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.exists()) {
            let problem = format!("the folder `{}` does not exist", folder.display());
            return self.label().misconfigured(problem);
        }
        if !self.create && !path.exists() {
            let problem = "the file does not exist, and CREATE_TABLE is off";
            return self.label().misconfigured(problem);
        }
        self.failed(error)
    }

    fn failed(&self, error: rusqlite::Error) -> StoreError {
        codes::failed(&self.label(), "opening", error)
    }

    /// Turns on WAL, which lets readers work beside a writer, and a flush before each commit
    /// returns. The change to WAL ignores the busy handler, so it is retried here.
    fn make_durable(&self, connection: &Connection) -> rusqlite::Result<()> {
        if connection.is_readonly(rusqlite::MAIN_DB)? {
            return Ok(());
        }
        let mode = busy::retry(self.lock_timeout, || {
            let mode: String =
                connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
            if mode == "wal" {
                return Ok(mode);
            }
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        })?;
        if mode != "wal" {
            tracing::warn!(
                store = self.name,
                mode,
                "no WAL mode here: readers and writers wait for each other"
            );
        }
        connection.pragma_update(None, "synchronous", "FULL")
    }
}
