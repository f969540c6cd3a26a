//! An open database: one connection that writes, some that read.
//!
//! Concurrency: all writing of this process to a database goes through one connection behind a mutex; SQLite's own lock
//! keeps other processes out during a transaction. Readers of a file have connections of their own, taken from a
//! list for the length of one statement, so they wait for nobody; WAL shows each of them the whole of what was
//! committed when it began, so positions become visible in their order. A database in memory has the one connection
//! for everything. No user's code runs while a connection is held. A mutex that was poisoned is taken all the same:
//! a transaction that was left by a panic has been rolled back by its guard.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use rusqlite::{Connection, TransactionBehavior};

use super::busy::Pace;
use super::connection::Settings;
use super::label::Label;
use super::location::Location;
use super::schema::{self, Layout, Wanted};
use super::watch::Watch;
use crate::{Listening, Signal, Signals, StoreError};

/// How many connections that read are kept while nobody uses them.
const IDLE_READERS: usize = 4;

/// An open database.
pub(super) struct Database {
    settings: Settings,
    pub(super) label: Label,
    writer: Mutex<Writer>,
    file: Option<File>,
    read_only: bool,
    signals: Signals,
}

struct Writer {
    connection: Connection,
    /// For a file, which other processes may use.
    pace: Option<Pace>,
}

/// What a database in a file has besides.
struct File {
    readers: Mutex<Vec<Connection>>,
    watch: Watch,
}

impl Database {
    pub(super) fn open(settings: &Settings) -> Result<Arc<Self>, StoreError> {
        match Location::of(&settings.name) {
            Location::Private => Self::in_memory(settings),
            Location::Named(name) => Self::named(&name, settings),
            Location::File => Self::in_file(settings),
        }
    }

    fn in_memory(settings: &Settings) -> Result<Arc<Self>, StoreError> {
        let writer = Writer {
            connection: settings.connect_memory()?,
            pace: None,
        };
        Ok(Arc::new(Self::new(settings, writer, None, false)))
    }

    fn in_file(settings: &Settings) -> Result<Arc<Self>, StoreError> {
        let connection = settings.connect_writer()?;
        let failed = |error| settings.label().failed("opening", error);
        let read_only = connection.is_readonly(rusqlite::MAIN_DB).map_err(failed)?;
        let writer = Writer {
            connection,
            pace: Some(Pace::new(settings.rest)),
        };
        let signals = Signals::default();
        let file = File {
            readers: Mutex::default(),
            watch: Watch::new(signals.clone()),
        };
        Ok(Arc::new(Self {
            signals,
            ..Self::new(settings, writer, Some(file), read_only)
        }))
    }

    /// The database in memory that has this name, made if nobody holds it. The list of names is locked meanwhile, so
    /// that two who come at once get the same one.
    fn named(name: &str, settings: &Settings) -> Result<Arc<Self>, StoreError> {
        static NAMED: LazyLock<Mutex<HashMap<String, Weak<Database>>>> =
            LazyLock::new(Mutex::default);
        let mut named = lock(&NAMED);
        named.retain(|_, database| database.strong_count() > 0);
        if let Some(database) = named.get(name).and_then(Weak::upgrade) {
            return Ok(database);
        }
        let database = Self::in_memory(settings)?;
        named.insert(name.to_owned(), Arc::downgrade(&database));
        Ok(database)
    }

    fn new(settings: &Settings, writer: Writer, file: Option<File>, read_only: bool) -> Self {
        let (settings, label) = (settings.clone(), settings.label());
        Self {
            settings,
            label,
            writer: Mutex::new(writer),
            file,
            read_only,
            signals: Signals::default(),
        }
    }

    /// Creates what is missing.
    pub(super) fn prepare(&self, wanted: &Wanted<'_>) -> Result<Layout, StoreError> {
        let mut writer = lock(&self.writer);
        schema::prepare(&mut writer.connection, &self.label, wanted, self.read_only)
    }

    /// Does `work` in one transaction, which is committed if it succeeds and leaves nothing otherwise.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.read_only {
            return Err(self.label.read_only("recording"));
        }
        let mut writer = lock(&self.writer);
        let Writer { connection, pace } = &mut *writer;
        pace.iter_mut().for_each(Pace::begin);
        let done = transact(connection, &self.label, work);
        pace.iter_mut().for_each(Pace::end);
        done
    }

    /// Reads with one statement.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Some(file) = &self.file else {
            return work(&lock(&self.writer).connection);
        };
        let idle = lock(&file.readers).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self.settings.connect_reader()?,
        };
        let read = work(&reader);
        let mut idle = lock(&file.readers);
        if idle.len() < IDLE_READERS {
            idle.push(reader);
        }
        read
    }

    /// Rings all who listen in this process.
    pub(super) fn ring(&self) {
        self.signals.ring();
    }

    /// Rings `signal` after commits of this process, and of others where there can be any.
    pub(super) fn listen(&self, signal: &Arc<Signal>) -> Result<Listening, StoreError> {
        let listening = self.signals.listen(signal);
        let Some(file) = &self.file else {
            return Ok(listening);
        };
        let watching = file
            .watch
            .join(|| self.settings.connect_reader(), &self.label)?;
        Ok(listening.and(watching))
    }
}

/// Does `work` between BEGIN IMMEDIATE and COMMIT; the guard rolls back whatever else happens.
fn transact<T>(
    connection: &mut Connection,
    label: &Label,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = begun.map_err(|error| label.failed("recording", error))?;
    let done = work(&transaction)?;
    transaction
        .commit()
        .map_err(|error| label.commit_failed(error))?;
    Ok(done)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn settings() -> Settings {
        let name = ":memory:".to_owned();
        Settings {
            name,
            lock_timeout: Duration::ZERO,
            rest: None,
            create: true,
        }
    }

    fn failed(database: &Database, error: rusqlite::Error) -> StoreError {
        database.label.failed("recording", error)
    }

    #[test]
    fn a_file_is_written_to_a_log_that_is_flushed_at_each_commit() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let name = folder.path().join("dogs.sqlite").display().to_string();
        let database = Database::open(&Settings { name, ..settings() }).expect("a database");
        let writer = lock(&database.writer);
        let setting = |name: &str| {
            writer
                .connection
                .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
        };
        assert_eq!(setting("journal_mode"), Ok("wal".to_owned().into()));
        let full = 2_i64;
        assert_eq!(setting("synchronous"), Ok(full.into()));
    }

    #[test]
    fn a_full_disk_is_an_error_that_leaves_nothing_and_the_connection_usable() {
        let database = Database::open(&settings()).expect("a database");
        let insert = |bytes: usize| {
            database.write(|connection| {
                let insert = "INSERT INTO kept VALUES (zeroblob(?1))";
                connection
                    .execute(insert, [bytes as i64])
                    .map_err(|error| failed(&database, error))
            })
        };
        let run = |sql: &str| {
            lock(&database.writer)
                .connection
                .execute_batch(sql)
                .expect(sql)
        };
        run("CREATE TABLE kept (bytes BLOB); PRAGMA max_page_count = 10");
        let full = insert(1_000_000).expect_err("full").to_string();
        assert_eq!(full, ":memory:: recording failed: database or disk is full");
        insert(1).expect("there is room for this");
    }

    #[test]
    fn a_panic_in_the_middle_of_a_transaction_rolls_it_back() {
        let database = Database::open(&settings()).expect("a database");
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            database.write(|connection| -> Result<(), StoreError> {
                connection
                    .execute_batch("CREATE TABLE kept (a)")
                    .expect("a table");
                panic!("in the middle");
            })
        }));
        assert!(panicked.is_err());
        let created = database.write(|connection| {
            connection
                .execute("CREATE TABLE kept (a)", [])
                .map_err(|error| failed(&database, error))
        });
        created.expect("the table is not there, and the connection works");
    }
}
