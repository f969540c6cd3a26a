//! The connections that read.
//!
//! Concurrency: idle connections lie in a list behind a mutex, which is held only to take one out
//! or put it back, never while one is made, used or closed; who finds the limit reached waits for a
//! condition variable, which is notified whenever a place becomes free. A place is given back by a
//! guard, so neither an error nor a panic leaks one. A reader never is in a transaction, and no
//! user's code runs while it is held. The transactions of a projection, in which a user's code does
//! run, have a pool of their own.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::blocking::check_may_block;
use super::codes::{is_lost, is_outdated};
use super::connection::Connection;
use super::names::Names;
use super::options::PostgresOptions;
use crate::error::StoreError;
use crate::sync::lock;

pub(super) struct Pool {
    settings: Arc<PostgresOptions>,
    names: Arc<Names>,
    readers: Mutex<Readers>,
    freed: Condvar,
}

#[derive(Default)]
struct Readers {
    idle: Vec<Connection>,
    busy: usize,
}

/// One of the places that there are.
struct Place<'a> {
    pool: &'a Pool,
    /// The connection that is put back; `None` if it broke.
    connection: Option<Connection>,
}

impl Pool {
    pub(super) fn new(settings: Arc<PostgresOptions>, names: Arc<Names>) -> Self {
        Self {
            settings,
            names,
            readers: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    /// Reads with one statement. On a connection that turns out to be lost, or to keep a statement
    /// for columns that were changed, it is tried once more, on a new one.
    pub(super) fn read<T>(
        &self,
        doing: &'static str,
        work: impl Fn(&mut Connection) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        check_may_block(&self.settings.label)?;
        let mut place = self.place();
        if let Some(mut reader) = place.connection.take() {
            match work(&mut reader) {
                Err(error) if is_lost(&error) || is_outdated(&error) => self.close_idle(),
                read => {
                    place.connection = Some(reader);
                    return read.map_err(|error| self.settings.label.failed(doing, error));
                }
            }
        }
        let mut reader = Connection::open(&self.settings, &self.names)?;
        let read = work(&mut reader);
        place.connection = Some(reader).filter(|_| !read.as_ref().is_err_and(is_lost));
        read.map_err(|error| self.settings.label.failed(doing, error))
    }

    /// Lends a connection for a user's transaction. It is kept afterwards, unless it was lost.
    pub(super) fn lend<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        check_may_block(&self.settings.label)?;
        let mut place = self.place();
        let idle = place.connection.take();
        let idle = idle.and_then(|mut idle| match idle.is_alive() {
            true => Some(idle),
            false => {
                self.close_idle();
                None
            }
        });
        let mut connection = match idle {
            Some(connection) => connection,
            None => Connection::open_for_tables(&self.settings, &self.names)?,
        };
        let done = work(&mut connection);
        connection.last_used = Instant::now();
        if connection.client.is_closed() {
            self.close_idle();
        } else if !connection.is_lost {
            place.connection = Some(connection);
        }
        done
    }

    fn place(&self) -> Place<'_> {
        let mut readers = self.lock();
        while readers.busy >= self.settings.readers() {
            readers = self
                .freed
                .wait(readers)
                .unwrap_or_else(PoisonError::into_inner);
        }
        readers.busy += 1;
        Place {
            pool: self,
            connection: readers.idle.pop(),
        }
    }

    /// Closes all that lie idle: where one is found lost, they most likely are so too.
    fn close_idle(&self) {
        let idle = std::mem::take(&mut self.lock().idle);
        drop(idle);
    }

    fn lock(&self) -> MutexGuard<'_, Readers> {
        lock(&self.readers)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut readers = self.pool.lock();
        readers.busy -= 1;
        if readers.idle.len() < self.pool.settings.pool_size {
            readers.idle.extend(self.connection.take());
        }
        drop(readers);
        self.pool.freed.notify_one();
        // One that is too many is closed now, after the lock.
    }
}
