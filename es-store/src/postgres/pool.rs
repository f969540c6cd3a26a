//! A pool of connections.
//!
//! Concurrency: a mutex guards the list of idle connections. It is held only while one is taken out
//! or put back, never while one is opened, used or closed. A caller that finds the limit reached
//! waits for a condition variable, which is notified whenever a slot becomes free. So does a caller
//! that has a slot and whose connection the server refuses, see [`shortage`]. A guard frees the
//! slot, so neither an error nor a panic leaks it. A connection for reading is never in a
//! transaction, and no user's code runs while it is in use. The transactions of projections, in
//! which a user's code does run, have a pool of their own. That code cannot wait for its own
//! connection, because it may not call the store. It may wait for another thread that does, so the
//! wait for a connection ends after the time for which connecting may take.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::blocking::check_may_block;
use super::codes::{Message, is_lost, is_outdated};
use super::connection::{Connection, OpenError};
use super::names::Names;
use super::options::PostgresOptions;
use super::shortage::{self, IdleConnections};
use crate::error::StoreError;
use crate::sql::reentrancy::Reentrancy;
use crate::sync::lock;

pub(super) struct Pool {
    settings: Arc<PostgresOptions>,
    names: Arc<Names>,
    /// The transactions of this store in which a user's code runs.
    reentrancy: Arc<Reentrancy>,
    state: Arc<Mutex<PoolState>>,
    freed: Condvar,
}

#[derive(Default)]
struct PoolState {
    idle: Vec<Connection>,
    busy: usize,
}

/// One of the pool's slots, which is freed on drop.
struct Slot<'a> {
    pool: &'a Pool,
    /// The connection to put back; `None` if there is none or it broke.
    connection: Option<Connection>,
}

impl Pool {
    pub(super) fn new(
        settings: Arc<PostgresOptions>,
        names: Arc<Names>,
        reentrancy: Arc<Reentrancy>,
    ) -> Self {
        let state = Arc::default();
        shortage::register(&settings, &state);
        Self {
            settings,
            names,
            reentrancy,
            state,
            freed: Condvar::new(),
        }
    }

    /// Reads with one statement. If the connection is lost, or its prepared statement is invalid
    /// because a column was changed, the statement is executed again on a new connection.
    ///
    /// While the server has no connection left, `on_writer` reads on the connection that writes. It
    /// returns `None` if that is not open.
    pub(super) fn read<T>(
        &self,
        doing: &'static str,
        work: impl Fn(&mut Connection) -> Result<T, tokio_postgres::Error>,
        on_writer: impl FnOnce() -> Option<Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        check_may_block(&self.settings.label)?;
        self.reentrancy.refuse(&self.settings.label)?;
        let mut slot = self.slot()?;
        if let Some(mut reader) = slot.connection.take() {
            match work(&mut reader) {
                Err(error) if is_lost(&error) || is_outdated(&error) => self.close_idle(),
                read => {
                    slot.connection = Some(reader);
                    return read.map_err(|error| self.settings.label.failed(doing, error));
                }
            }
        }
        let mut reader = match Connection::open(&self.settings, &self.names) {
            Err(OpenError::NoneLeft(_)) => match on_writer() {
                Some(read) if !read.as_ref().is_err_and(is_lost) => {
                    return read.map_err(|error| self.settings.label.failed(doing, error));
                }
                _ => self.open(Connection::open)?,
            },
            opened => opened?,
        };
        let read = work(&mut reader);
        slot.connection = Some(reader).filter(|_| !read.as_ref().is_err_and(is_lost));
        read.map_err(|error| self.settings.label.failed(doing, error))
    }

    /// Lends a connection to a user's transaction and puts it back afterwards, unless it was lost.
    pub(super) fn lend<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        check_may_block(&self.settings.label)?;
        self.reentrancy.refuse(&self.settings.label)?;
        let mut slot = self.slot()?;
        let idle = slot.connection.take();
        let idle = idle.and_then(|mut idle| {
            let is_alive = idle.is_alive();
            if !is_alive {
                self.close_idle();
            }
            is_alive.then_some(idle)
        });
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.open(Connection::open_for_tables)?,
        };
        let entered = self.reentrancy.enter();
        let done = work(&mut connection);
        drop(entered);
        connection.last_used = Instant::now();
        if connection.client.is_closed() {
            self.close_idle();
        } else if !connection.is_lost {
            slot.connection = Some(connection);
        }
        done
    }

    /// Waits for a slot, for as long as connecting may take. A limit of 0 is no limit.
    fn slot(&self) -> Result<Slot<'_>, StoreError> {
        let limit = self.settings.connect_timeout;
        let since = (!limit.is_zero()).then(Instant::now);
        let mut state = self.lock();
        while state.busy >= self.settings.readers() {
            let left = since.map_or(Duration::MAX, |since| limit.saturating_sub(since.elapsed()));
            if left.is_zero() {
                return Err(self.all_busy(state.busy, limit));
            }
            let waited = self.freed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.busy += 1;
        Ok(Slot {
            pool: self,
            connection: state.idle.pop(),
        })
    }

    fn all_busy(&self, busy: usize, limit: Duration) -> StoreError {
        let problem = format!(
            "all {busy} connections were busy for {limit:?} (POSTGRES_CONNECT_TIMEOUT): \
             POSTGRES_POOL_SIZE and POSTGRES_MAX_OVERFLOW are their number"
        );
        let label = &self.settings.label;
        label.driver("waiting for a connection", Message::new(problem))
    }

    /// Opens a connection. While the server has none left, waits until another one of this pool
    /// comes free, or the server has one.
    fn open(
        &self,
        open: fn(&PostgresOptions, &Arc<Names>) -> Result<Connection, OpenError>,
    ) -> Result<Connection, StoreError> {
        let open = || open(&self.settings, &self.names);
        shortage::open(&self.settings, open, |limit| self.wait_for_idle(limit))
    }

    fn wait_for_idle(&self, limit: Duration) -> Option<Connection> {
        let waited = self
            .freed
            .wait_timeout_while(self.lock(), limit, |state| state.idle.is_empty());
        waited.unwrap_or_else(PoisonError::into_inner).0.idle.pop()
    }

    /// Closes all idle connections. Where one is lost, the others most likely are too.
    fn close_idle(&self) {
        self.state.close_idle();
    }

    fn lock(&self) -> MutexGuard<'_, PoolState> {
        lock(&self.state)
    }
}

impl IdleConnections for Mutex<PoolState> {
    fn close_idle(&self) {
        let idle = std::mem::take(&mut lock(self).idle);
        drop(idle);
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.busy -= 1;
        if state.idle.len() < self.pool.settings.pool_size {
            state.idle.extend(self.connection.take());
        }
        drop(state);
        // Some wait for the slot, and some that have one for the connection.
        self.pool.freed.notify_all();
        // A connection that exceeds `pool_size` is closed here, after the mutex was released.
    }
}
