//! Transactions in which a user's code runs.
//!
//! Concurrency: one that writes holds the connection that writes, as long as the user's code takes; so does one that reads from a
//! database in memory. Which thread that is, is noted: should the user's code call the store again, it is told so instead
//! of waiting for itself. One that reads from a file has a connection of its own.

use std::fs::{self, OpenOptions, TryLockError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, TransactionBehavior};

use super::busy::Pace;
use super::database::Database;
use super::group::Writer;
use super::location;
use crate::transaction::{Label, TableNames};
use crate::{Access, End, RebuildLock, StoreError, Transaction};

/// A transaction's work, as the store is given it.
type Work<'w> = dyn FnMut(&mut Transaction<'_>) -> Result<End, StoreError> + 'w;

/// The thread in whose transaction a user's code runs.
#[derive(Default)]
pub(super) struct Held(Mutex<Option<ThreadId>>);

struct Holding<'a>(&'a Held);

impl Held {
    fn set(&self, thread: Option<ThreadId>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = thread;
    }

    /// Notes this thread until what is returned is dropped.
    fn by_this_thread(&self) -> Holding<'_> {
        self.set(Some(thread::current().id()));
        Holding(self)
    }

    fn is_by_this_thread(&self) -> bool {
        let holder = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        holder == Some(thread::current().id())
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// Keeps a user's statements from beginning or ending the transaction, while it is up.
#[derive(Default)]
pub(super) struct Fence {
    is_up: Arc<AtomicBool>,
    is_installed: bool,
}

struct Up(Arc<AtomicBool>);

impl Fence {
    fn install(&mut self, connection: &mut Connection) -> rusqlite::Result<()> {
        if self.is_installed {
            return Ok(());
        }
        let is_up = self.is_up.clone();
        connection.authorizer(Some(move |asked: AuthContext<'_>| {
            let is_refused = matches!(asked.action, AuthAction::Transaction { .. });
            match is_refused && is_up.load(Ordering::SeqCst) {
                true => Authorization::Deny,
                false => Authorization::Allow,
            }
        }))?;
        self.is_installed = true;
        Ok(())
    }

    fn raise(&self) -> Up {
        self.is_up.store(true, Ordering::SeqCst);
        Up(self.is_up.clone())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Keeps a connection from writing, until it is dropped.
struct QueryOnly<'a>(&'a Connection);

impl<'a> QueryOnly<'a> {
    fn begin(connection: &'a Connection) -> rusqlite::Result<Self> {
        connection.pragma_update(None, "query_only", true)?;
        Ok(Self(connection))
    }
}

impl Drop for QueryOnly<'_> {
    fn drop(&mut self) {
        // It fails in no way that anybody could do something about; the next write would say so.
        let _ended = self.0.pragma_update(None, "query_only", false);
    }
}

impl Database {
    /// Refuses what would wait for this very thread.
    pub(super) fn refuse_inside_transaction(&self) -> Result<(), StoreError> {
        if !self.held.is_by_this_thread() {
            return Ok(());
        }
        Err(StoreError::Statement {
            store: self.label.store(),
            problem: "the store was called inside a transaction of its own: use the transaction that is open"
                .to_owned(),
        })
    }

    /// Does `work` in a transaction, for the application that is named.
    pub(super) fn transact(
        &self,
        application: &str,
        access: Access,
        work: &mut Work<'_>,
    ) -> Result<(), StoreError> {
        let label = Arc::new(Label {
            application: application.to_owned(),
            store: self.label.store(),
        });
        self.refuse_inside_transaction()?;
        match access {
            Access::Write if self.read_only => Err(self.label.read_only("a projection")),
            Access::Write => self.write_tables(label, work),
            Access::Read if self.file.is_some() => {
                self.read(|connection| self.read_tables(connection, label, work))
            }
            Access::Read => {
                let writer = self.committer.writer();
                let _holding = self.held.by_this_thread();
                let reading = QueryOnly::begin(&writer.connection);
                let reading = reading.map_err(|error| self.label.failed("reading", error))?;
                self.read_tables(reading.0, label, work)
            }
        }
    }

    fn read_tables(
        &self,
        connection: &Connection,
        label: Arc<Label>,
        work: &mut Work<'_>,
    ) -> Result<(), StoreError> {
        let begun = connection.unchecked_transaction();
        let tx = begun.map_err(|error| self.label.failed("reading", error))?;
        work(&mut Transaction::on_sqlite(tx, label, names())).map(|_| ())
    }

    fn write_tables(&self, label: Arc<Label>, work: &mut Work<'_>) -> Result<(), StoreError> {
        let failed = |error| self.label.failed("a projection", error);
        let mut writer = self.committer.writer();
        let Writer {
            connection,
            pace,
            fence,
            ..
        } = &mut *writer;
        let _holding = self.held.by_this_thread();
        fence.install(connection).map_err(failed)?;
        pace.iter_mut().for_each(Pace::begin);
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let mut transaction = Transaction::on_sqlite(begun.map_err(failed)?, label, names());
        let up = fence.raise();
        let end = work(&mut transaction);
        drop(up);
        let ended = match end {
            Ok(End::Commit) => transaction.commit(),
            Ok(End::Rollback) => Ok(()),
            Err(error) => Err(error),
        };
        pace.iter_mut().for_each(Pace::end);
        ended
    }

    /// For a file a lock of the system's on a file beside it, which ends with the process; for memory a flag.
    pub(super) fn lock_rebuild(&self) -> Result<Option<RebuildLock>, StoreError> {
        if self.is_rebuilding.swap(true, Ordering::SeqCst) {
            return Ok(None);
        }
        let flag = Up(self.is_rebuilding.clone());
        if self.file.is_none() {
            return Ok(Some(RebuildLock::new(flag)));
        }
        let path = location::path(&self.settings.name);
        // One file may have several names.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut beside = path.into_os_string();
        beside.push(".rebuild");
        let failed = |error: std::io::Error| StoreError::Driver {
            store: self.label.store(),
            doing: "locking for a rebuild",
            error: Arc::new(error),
        };
        let file = OpenOptions::new().create(true).append(true).open(beside);
        let file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(RebuildLock::new((file, flag)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// The tables of the library's own; see [`schema`](super::schema).
fn names() -> Arc<TableNames> {
    static NAMES: std::sync::LazyLock<Arc<TableNames>> = std::sync::LazyLock::new(|| {
        let taken = super::schema::names().map(str::to_owned).collect();
        Arc::new(TableNames {
            tracking: "tracking".to_owned(),
            upstream: "es_upstream".to_owned(),
            meta: "es_meta".to_owned(),
            schema: None,
            taken,
            longest: usize::MAX,
        })
    });
    NAMES.clone()
}
