//! An open database: one connection that writes, and some that read.
//!
//! Concurrency: all writing of this process to a database goes through one connection: to a file in
//! groups, to memory one by one. SQLite's own lock keeps other processes out during a transaction.
//! Readers of a file have connections of their own. Each is taken from a list for the length of one
//! statement, so readers do not wait. With WAL each reader sees exactly what was committed before
//! it began, so positions become visible in order. A database in memory uses the one connection for
//! everything, and is read between two transactions. A user's code runs while a connection is held
//! only in the transactions of a projection. It cannot take a connection a second time, see
//! [`reentrancy`](crate::sql::reentrancy).

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, Weak};
use std::time::Duration;

use rusqlite::Connection;

use super::authorizer::Authorizer;
use super::busy::Pace;
use super::connection::SqliteOptions;
use super::location::Location;
use super::schema::{self, Layout};
use super::watch::Watch;
use super::writer::Writer;
use super::{codes, write};
use crate::committer::Committer;
use crate::error::StoreError;
use crate::recording::{Recorded, Recording};
use crate::signal::{Listening, Signal, Signals};
use crate::sql::label::Label;
use crate::sql::reentrancy::Reentrancy;
use crate::sqlite::schema::Wanted;
use crate::stored_event::StoredEvent;
use crate::sync::Flag;
use crate::sync::lock;

/// The number of idle connections for reading that are kept.
const IDLE_READERS: usize = 4;

/// The longest time, on a slow disk, of writing the groups that a recording waits for.
const A_GROUP: Duration = Duration::from_secs(1);

/// An open database.
pub(super) struct Database {
    pub(super) options: SqliteOptions,
    pub(super) label: Label,
    pub(super) committer: Committer<Writer>,
    pub(super) file: Option<File>,
    pub(super) read_only: bool,
    signals: Signals,
    pub(super) reentrancy: Reentrancy,
    /// Raised while this process rebuilds tables here.
    pub(super) rebuilding: Flag,
}

/// The additional parts of a database in a file.
pub(super) struct File {
    readers: Mutex<Vec<Reader>>,
    watch: Watch,
}

/// A connection that reads.
pub(super) struct Reader {
    pub(super) connection: Connection,
    pub(super) authorizer: Authorizer,
}

impl Database {
    pub(super) fn open(options: &SqliteOptions) -> Result<Arc<Self>, StoreError> {
        match Location::of(&options.name) {
            Location::Private => Self::in_memory(options),
            Location::Named(name) => Self::named(&name, options),
            Location::File => Self::in_file(options),
        }
    }

    fn in_memory(options: &SqliteOptions) -> Result<Arc<Self>, StoreError> {
        let connection = options.connect_memory()?;
        let signals = Signals::default();
        Ok(Arc::new(Self {
            committer: committer(options, connection, None, &signals),
            options: options.clone(),
            label: options.label(),
            file: None,
            read_only: false,
            signals,
            reentrancy: Reentrancy::default(),
            rebuilding: Flag::default(),
        }))
    }

    fn in_file(options: &SqliteOptions) -> Result<Arc<Self>, StoreError> {
        let connection = options.connect_writer()?;
        let label = options.label();
        let failed = |error| codes::failed(&label, "opening", error);
        let read_only = connection.is_readonly(rusqlite::MAIN_DB).map_err(failed)?;
        let signals = Signals::default();
        let file = File {
            readers: Mutex::default(),
            watch: Watch::new(signals.clone()),
        };
        let pace = Some(Pace::new(options.rest));
        Ok(Arc::new(Self {
            committer: committer(options, connection, pace, &signals),
            options: options.clone(),
            label: options.label(),
            file: Some(file),
            read_only,
            signals,
            reentrancy: Reentrancy::default(),
            rebuilding: Flag::default(),
        }))
    }

    /// Returns the database in memory that has this name, and creates it if nobody holds it. The
    /// list of names is locked meanwhile, so that two callers at once get the same database.
    fn named(name: &str, options: &SqliteOptions) -> Result<Arc<Self>, StoreError> {
        static NAMED: LazyLock<Mutex<HashMap<String, Weak<Database>>>> =
            LazyLock::new(Mutex::default);
        let mut named = lock(&NAMED);
        named.retain(|_, database| database.strong_count() > 0);
        if let Some(database) = named.get(name).and_then(Weak::upgrade) {
            return Ok(database);
        }
        let database = Self::in_memory(options)?;
        named.insert(name.to_owned(), Arc::downgrade(&database));
        Ok(database)
    }

    /// Creates missing tables.
    pub(super) fn prepare(&self, wanted: &Wanted<'_>) -> Result<Layout, StoreError> {
        let mut writer = self.committer.writer();
        schema::prepare(&mut writer.connection, &self.label, wanted, self.read_only)
    }

    /// Records all of `recording` or nothing of it.
    pub(super) fn record(&self, recording: &Recording) -> Result<Recorded, StoreError> {
        self.reentrancy.refuse(&self.label)?;
        if self.read_only {
            return Err(self.label.read_only("recording"));
        }
        match self.file {
            Some(_) => self.committer.record(recording),
            None => self.committer.record_alone(recording),
        }
    }

    /// Records a snapshot in one statement, and so in a transaction of its own. Nobody waits for
    /// it, so it joins no group.
    pub(super) fn record_snapshot(&self, snapshot: &StoredEvent) -> Result<(), StoreError> {
        self.reentrancy.refuse(&self.label)?;
        if self.read_only {
            return Err(self.label.read_only("recording"));
        }
        write::record_snapshot(&self.committer.writer().connection, &self.label, snapshot)
    }

    /// Reads one aggregate. The connection that writes has the last written pages in its cache,
    /// where the other connections read them again after each commit. So it also reads, while
    /// nobody writes.
    pub(super) fn read_aggregate<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.reentrancy.refuse(&self.label)?;
        match self.committer.idle_writer() {
            Some(writer) => work(&writer.connection),
            None => self.read(work),
        }
    }

    /// Reads with one statement.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.reentrancy.refuse(&self.label)?;
        let Some(file) = &self.file else {
            return work(&self.committer.writer().connection);
        };
        self.read_by(file, |reader| work(&reader.connection))
    }

    /// Lends a connection that reads from a file.
    pub(super) fn read_by<T>(
        &self,
        file: &File,
        work: impl FnOnce(&mut Reader) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = lock(&file.readers).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => Reader {
                connection: self.options.connect_reader()?,
                authorizer: Authorizer::default(),
            },
        };
        let read = work(&mut reader);
        let mut idle = lock(&file.readers);
        if idle.len() < IDLE_READERS {
            idle.push(reader);
        }
        read
    }

    /// Rings `signal` after commits of this process, and of other processes if they can open the
    /// database.
    pub(super) fn listen(&self, signal: &Arc<Signal>) -> Result<Listening, StoreError> {
        let listening = self.signals.listen(signal);
        let Some(file) = &self.file else {
            return Ok(listening);
        };
        let watching = file
            .watch
            .join(|| self.options.connect_reader(), &self.label)?;
        Ok(listening.and(watching))
    }
}

fn committer(
    options: &SqliteOptions,
    connection: Connection,
    pace: Option<Pace>,
    signals: &Signals,
) -> Committer<Writer> {
    let label = options.label();
    // A caller with a shorter limit for locks still waits for a group of this process.
    let queue = label.waiting_at_least(A_GROUP);
    let writer = Writer {
        connection,
        label,
        pace,
        authorizer: Authorizer::default(),
    };
    Committer::new(writer, signals.clone(), queue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_to_a_log_that_is_flushed_at_each_commit() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let options = SqliteOptions {
            name: folder.path().join("dogs.sqlite").display().to_string(),
            lock_timeout: Duration::ZERO,
            rest: None,
            create: true,
        };
        let database = Database::open(&options).expect("a database");
        let writer = database.committer.writer();
        let setting = |name: &str| {
            writer
                .connection
                .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
        };
        assert_eq!(setting("journal_mode"), Ok("wal".to_owned().into()));
        let full = 2_i64;
        assert_eq!(setting("synchronous"), Ok(full.into()));
    }
}
