//! The connection for writing, and the recovery from its loss.
//!
//! If the connection dies during a commit, the outcome is unknown. A query would not tell, because
//! the server may still be executing the commit. So the same rows are sent again on a new
//! connection, behind the same lock. The server accepts them, or finds identical rows, which is
//! success, or finds different rows, which is a conflict.

#[cfg(all(test, unix))]
mod tests;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use es_core::IdType;
use tokio_postgres::error::SqlState;

use super::codes::{is_lost, is_outdated, is_sequence_behind, may_retry_now};
use super::connection::Connection;
use super::names::Names;
use super::options::PostgresOptions;
use super::rows::Rows;
use super::schema::ServerLayout;
use super::shortage;
use super::sql::Sql;
use super::write::{Write, WriteError};
use crate::backoff::Backoff;
use crate::committer::{GroupWriter, Outcomes};
use crate::error::StoreError;
use crate::recording::Recording;

/// The maximum number of retries after concurrent writes, for example after deadlocks.
const TRIES: usize = 10;

/// The time after which an idle connection is checked before use. If the check finds it lost,
/// nothing was sent and no outcome is unknown.
const IDLE: Duration = Duration::from_secs(1);

/// The pause between attempts to connect, at first and at most.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));

pub(super) struct Writer {
    settings: Arc<PostgresOptions>,
    names: Arc<Names>,
    id_type: IdType,
    /// True if the functions that append events can be called.
    has_append: bool,
    /// The open connection. It is taken out during use, so that a panic discards it.
    connection: Option<Connection>,
    last_used: Instant,
}

/// An attempt that failed.
struct FailedAttempt {
    error: StoreError,
    /// The next step.
    then: NextStep,
}

enum NextStep {
    /// The connection was lost: send the group again.
    Resend,
    /// No connection could be opened: try to connect again.
    Reconnect,
    /// A concurrent write came first: try again, with plain statements.
    Retry,
    /// The server rejected a value, such as an id that is too long for its index: send each
    /// recording separately, so that the others succeed.
    Split,
    GiveUp,
}

impl GroupWriter for Writer {
    /// Commits a group. After an error nothing of the group is recorded, except after
    /// [`StoreError::OutcomeUnknown`].
    ///
    /// A recording that changes what is set aside is rare and is sent alone, in its order. So its
    /// refusal rolls its own transaction back.
    fn commit(&mut self, group: &[&Recording]) -> Result<Outcomes, StoreError> {
        if !group.iter().any(|one| one.has_aside()) {
            return self.send(group, false);
        }
        let mut outcomes = Vec::with_capacity(group.len());
        for part in group.chunk_by(|one, next| !one.has_aside() && !next.has_aside()) {
            match self.send(part, false) {
                Ok(recorded) => outcomes.extend(recorded),
                Err(error) => outcomes.extend(part.iter().map(|_| Err(error.clone()))),
            }
        }
        Ok(outcomes)
    }
}

impl Writer {
    /// Reads on the connection for writing, or returns `None` if it is not open.
    ///
    /// Concurrency: the caller has the writer, so no group is sent meanwhile. A connection that is
    /// lost here leaves no outcome unknown, and the next group opens another one.
    pub(super) fn read<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, tokio_postgres::Error>,
    ) -> Option<Result<T, tokio_postgres::Error>> {
        let mut connection = self.connection.take()?;
        let read = work(&mut connection);
        self.connection = Some(connection).filter(|_| !read.as_ref().is_err_and(is_lost));
        Some(read)
    }

    /// Sends a group until its outcome is known. `is_resent` is true if it was sent before and may
    /// already be recorded.
    fn send(&mut self, group: &[&Recording], mut is_resent: bool) -> Result<Outcomes, StoreError> {
        let (mut by_function, mut tries) = (true, 0);
        let (mut failures, mut since) = (0, Instant::now());
        loop {
            let FailedAttempt { error, then } = match self.attempt(group, is_resent, by_function) {
                Ok(outcomes) => return Ok(outcomes),
                Err(attempt) => attempt,
            };
            match then {
                NextStep::Retry if tries < TRIES => (by_function, tries) = (false, tries + 1),
                // What was tried in vain may be the fault of one recording.
                NextStep::Split | NextStep::Retry if group.len() > 1 => {
                    return Ok(self.send_one_by_one(group, is_resent));
                }
                // Resolving the outcome has a time of its own, even if the loss was noticed late.
                NextStep::Resend if !is_resent => (is_resent, since) = (true, Instant::now()),
                NextStep::Resend | NextStep::Reconnect
                    if since.elapsed() < self.retry_time(is_resent) =>
                {
                    failures += 1;
                    thread::sleep(PAUSES.pause(failures));
                }
                // The content is refused in each attempt, so none has been recorded.
                _ if is_resent && !error.is_refusal() => {
                    return Err(self.settings.label.outcome_unknown(error));
                }
                _ => return Err(error),
            }
        }
    }

    /// Sends each recording of a group in a transaction of its own, in order.
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

    /// Returns the time for which to retry after a connection was lost or could not be opened.
    fn retry_time(&self, is_resent: bool) -> Duration {
        if is_resent {
            self.settings.resolve
        } else {
            self.settings.connect_timeout
        }
    }

    fn attempt(
        &mut self,
        group: &[&Recording],
        is_resent: bool,
        by_function: bool,
    ) -> Result<Outcomes, FailedAttempt> {
        let mut connection = self.take_connection()?;
        let mut write = Write {
            connection: &mut connection,
            names: &self.names,
            rows: Rows {
                label: &self.settings.label,
                id_type: self.id_type,
            },
        };
        // The function does not compare what is stored already.
        let is_new = !is_resent && !group.iter().any(|one| one.is_resent);
        let appended = if self.has_append && by_function && is_new {
            write.append_by_function(group)
        } else {
            Ok(None)
        };
        let done = match appended {
            Ok(None) => write.append_by_statements(group, is_resent),
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

    fn take_connection(&mut self) -> Result<Connection, FailedAttempt> {
        let idle = self.last_used.elapsed();
        self.last_used = Instant::now();
        if let Some(mut connection) = self.connection.take()
            && !connection.client.is_closed()
            && (idle < IDLE || connection.client.check_connection().is_ok())
        {
            return Ok(connection);
        }
        let open = || Connection::open_writer(&self.settings, &self.names);
        let opened = shortage::open(&self.settings, open, shortage::pause);
        opened.map_err(|error| FailedAttempt {
            then: match &error {
                StoreError::Configuration(_) => NextStep::GiveUp,
                _ => NextStep::Reconnect,
            },
            error,
        })
    }

    /// Recognizes the error of a sequence that lies behind the events. Another attempt would get
    /// the next position, which is behind as well.
    fn recognized(&self, failed: WriteError) -> WriteError {
        match failed {
            WriteError::Driver(error) if is_sequence_behind(&error, &self.names.index) => {
                self.settings.label.sequence_behind(&self.names).into()
            }
            failed => failed,
        }
    }

    /// Puts the connection back if it still works, and chooses the next step.
    fn failed(&mut self, failed: WriteError, mut connection: Connection) -> FailedAttempt {
        let label = &self.settings.label;
        let error = match self.recognized(failed) {
            WriteError::Driver(error) => error,
            WriteError::Race => {
                self.connection = Some(connection);
                let error = label.misconfigured("another writer keeps moving the position");
                return FailedAttempt {
                    error,
                    then: NextStep::Retry,
                };
            }
            WriteError::Store(error) => {
                self.connection = Some(connection);
                return FailedAttempt {
                    error,
                    then: NextStep::GiveUp,
                };
            }
        };
        let is_outdated = is_outdated(&error);
        let then = match error.code() {
            _ if is_lost(&error) => NextStep::Resend,
            // Only a new connection prepares its statements again.
            _ if is_outdated => NextStep::Retry,
            Some(code) if may_retry_now(code) => NextStep::Retry,
            Some(&SqlState::UNDEFINED_FUNCTION) if self.has_append => {
                self.has_append = false;
                NextStep::Retry
            }
            Some(&SqlState::LOCK_NOT_AVAILABLE) | None => NextStep::GiveUp,
            Some(_) => NextStep::Split,
        };
        let is_locked = error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE);
        let holder = is_locked.then(|| holder(&mut connection, &self.names));
        let error = match holder.flatten() {
            Some(holder) => label.locked(holder),
            None => label.failed("recording", error),
        };
        if !matches!(then, NextStep::Resend) && !is_outdated {
            self.connection = Some(connection);
        }
        FailedAttempt { error, then }
    }
}

/// Describes the holder of a lock on the table, if the server shows one.
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
