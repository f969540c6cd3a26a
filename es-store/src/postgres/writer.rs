//! The connection that writes, and what is done when it is lost.
//!
//! A connection that dies while a group is being committed leaves open whether it was. Looking
//! would not tell, because the server may still be at it; so the same rows are sent again, on a new
//! connection, behind the same lock: either they are accepted, or identical ones are there already,
//! which is success, or others are, which is a conflict.

#[cfg(all(test, unix))]
mod tests;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use es_core::IdType;
use tokio_postgres::error::SqlState;

use super::codes::{is_lost, may_retry_now};
use super::connection::Connection;
use super::names::Names;
use super::options::PostgresOptions;
use super::rows::Rows;
use super::schema::ServerLayout;
use super::sql::Sql;
use super::write::{Write, WriteError};
use crate::backoff::Backoff;
use crate::committer::{GroupWriter, Outcomes};
use crate::error::StoreError;
use crate::recording::Recording;

/// The number of attempts after somebody else came between, for example in a deadlock.
const TRIES: usize = 10;

/// The time after which an idle connection is checked before it is used. One that is
/// found lost before anything was sent leaves nothing open.
const IDLE: Duration = Duration::from_secs(1);

/// The pause between attempts to connect, at first and at most.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));

pub(super) struct Writer {
    settings: Arc<PostgresOptions>,
    names: Arc<Names>,
    id_type: IdType,
    /// True if the function that appends can be called.
    has_append: bool,
    /// Taken out while it is used, so that one that is left in the middle of something is not used
    /// again.
    connection: Option<Connection>,
    last_used: Instant,
}

/// An attempt that failed.
struct Attempt {
    error: StoreError,
    /// The next step.
    then: Then,
}

enum Then {
    /// The connection was lost: send it again.
    Resend,
    /// There is no connection.
    Reconnect,
    /// Somebody else came between: try again, with plain statements.
    Retry,
    /// The server refuses something, as an id that is too long for its index. It must not take with
    /// it what came from others.
    Split,
    GiveUp,
}

impl GroupWriter for Writer {
    /// After an error nothing of the group is recorded, but for [`StoreError::OutcomeUnknown`].
    fn commit(&mut self, group: &[&Recording]) -> Result<Outcomes, StoreError> {
        self.send(group, false)
    }
}

impl Writer {
    /// Sends a group until it is known what became of it; `is_resent` says that it was sent before,
    /// and may be recorded.
    fn send(&mut self, group: &[&Recording], mut is_resent: bool) -> Result<Outcomes, StoreError> {
        let (mut by_function, mut tries) = (true, 0);
        let (mut failures, mut since) = (0, Instant::now());
        loop {
            let Attempt { error, then } = match self.attempt(group, is_resent, by_function) {
                Ok(outcomes) => return Ok(outcomes),
                Err(attempt) => attempt,
            };
            match then {
                Then::Retry if tries < TRIES => (by_function, tries) = (false, tries + 1),
                Then::Split if group.len() > 1 => return Ok(self.send_one_by_one(group, is_resent)),
                // To find out takes its own time, also where it took long to notice the loss.
                Then::Resend if !is_resent => (is_resent, since) = (true, Instant::now()),
                Then::Resend | Then::Reconnect if since.elapsed() < self.patience(is_resent) => {
                    failures += 1;
                    thread::sleep(PAUSES.pause(failures));
                }
                _ if is_resent => return Err(self.settings.label.outcome_unknown(error)),
                _ => return Err(error),
            }
        }
    }

    /// Sends each of a group, in its order, in a transaction of its own.
    fn send_one_by_one(&mut self, group: &[&Recording], is_resent: bool) -> Outcomes {
        let mut alone = |recording| {
            let outcomes = self.send(&[recording], is_resent);
            outcomes.unwrap_or_else(|error| vec![Err(error)])
        };
        group.iter().copied().flat_map(&mut alone).collect()
    }

    pub(super) fn new(
        settings: Arc<PostgresOptions>,
        names: Arc<Names>,
        id_type: IdType,
        layout: ServerLayout,
        connection: Connection,
    ) -> Self {
        Self {
            settings,
            names,
            id_type,
            has_append: layout.has_append,
            connection: Some(connection),
            last_used: Instant::now(),
        }
    }

    /// The time to go on after a connection was lost or not made.
    fn patience(&self, is_resent: bool) -> Duration {
        match is_resent {
            true => self.settings.resolve,
            false => self.settings.connect_timeout,
        }
    }

    fn attempt(
        &mut self,
        group: &[&Recording],
        is_resent: bool,
        by_function: bool,
    ) -> Result<Outcomes, Attempt> {
        let mut connection = self.take_connection()?;
        let mut write = Write {
            connection: &mut connection,
            names: &self.names,
            rows: Rows {
                label: &self.settings.label,
                id_type: self.id_type,
            },
        };
        let appended = match self.has_append && by_function && !is_resent {
            true => write.append(group),
            false => Ok(None),
        };
        let done = match appended {
            Ok(None) => write.judged(group, is_resent),
            Ok(Some(outcomes)) => Ok(outcomes),
            Err(error) => Err(error),
        };
        match done {
            Ok(outcomes) => {
                self.connection = Some(connection);
                Ok(outcomes)
            }
            Err(failed) => Err(self.failed(failed, connection)),
        }
    }

    fn take_connection(&mut self) -> Result<Connection, Attempt> {
        let idle = self.last_used.elapsed();
        self.last_used = Instant::now();
        if let Some(mut connection) = self.connection.take()
            && !connection.client.is_closed()
            && (idle < IDLE || connection.client.check_connection().is_ok())
        {
            return Ok(connection);
        }
        Connection::open_writer(&self.settings, &self.names).map_err(|error| Attempt {
            then: match &error {
                StoreError::Configuration(_) => Then::GiveUp,
                _ => Then::Reconnect,
            },
            error,
        })
    }

    /// Keeps the connection, if it is of use, and says what may be done.
    fn failed(&mut self, failed: WriteError, mut connection: Connection) -> Attempt {
        let label = &self.settings.label;
        let error = match failed {
            WriteError::Driver(error) => error,
            WriteError::Race => {
                self.connection = Some(connection);
                let error = label.misconfigured("somebody else keeps moving the position");
                return Attempt {
                    error,
                    then: Then::Retry,
                };
            }
            WriteError::Store(error) => {
                self.connection = Some(connection);
                return Attempt {
                    error,
                    then: Then::GiveUp,
                };
            }
        };
        let then = match error.code() {
            _ if is_lost(&error) => Then::Resend,
            Some(code) if may_retry_now(code) => Then::Retry,
            Some(&SqlState::UNDEFINED_FUNCTION) if self.has_append => {
                self.has_append = false;
                Then::Retry
            }
            Some(&SqlState::LOCK_NOT_AVAILABLE) | None => Then::GiveUp,
            Some(_) => Then::Split,
        };
        let is_locked = error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE);
        let holder = is_locked.then(|| holder(&mut connection, &self.names));
        let error = match holder.flatten() {
            Some(holder) => label.locked(holder),
            None => label.failed("recording", error),
        };
        if !matches!(then, Then::Resend) {
            self.connection = Some(connection);
        }
        Attempt { error, then }
    }
}

/// Who holds a lock on the table, as far as it can be seen.
fn holder(connection: &mut Connection, names: &Names) -> Option<String> {
    let rows = connection
        .query(Sql::Holder, &[&names.path(&names.events)])
        .ok()?;
    let row = rows.first()?;
    let process: i32 = row.try_get(0).ok()?;
    let application: Option<String> = row.try_get(1).ok()?;
    let state: Option<String> = row.try_get(2).ok()?;
    Some(format!(
        "process {process} (application `{}`, {})",
        application.unwrap_or_default(),
        state.unwrap_or_default()
    ))
}
