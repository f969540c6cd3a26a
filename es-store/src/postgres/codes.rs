//! The error codes of PostgreSQL and their meaning.

mod table;

use std::error::Error as _;

use es_core::error_chain;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};
use tokio_postgres::types::WrongType;

use crate::error::{Remedy, StoreError};
use crate::sql::label::Label;

/// The message of the server or of the driver. The server's detail is left out, as it may quote the
/// values of a row.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Message(String);

impl Message {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    pub(super) fn of(error: &Error) -> Self {
        match error.as_db_error() {
            Some(error) => Self(format!("{} ({})", error.message(), error.code().code())),
            None => Self(error_chain(error).to_string()),
        }
    }
}

/// The error of a parameter whose value does not fit its column.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadParameter(pub(super) String);

/// Returns the remedy for an error of one of the library's own statements.
fn remedy(error: &Error) -> Remedy {
    match error.code() {
        Some(code) => table::remedy(code.code()),
        // A column has another type than the library's.
        None if has_source::<WrongType>(error) => Remedy::OtherConfiguration,
        // A lost connection.
        None => Remedy::RetryLater,
    }
}

/// Returns the error of one of the library's own statements, executed while `doing` something.
pub(super) fn failure(label: &Label, doing: &'static str, error: &Error) -> StoreError {
    let message = Message::of(error);
    match (error.code(), remedy(error)) {
        (Some(&SqlState::LOCK_NOT_AVAILABLE), _) => label.locked("another connection"),
        (Some(&SqlState::READ_ONLY_SQL_TRANSACTION), _) => label.read_only(doing),
        (_, Remedy::OtherContent) => label.refused(doing, message),
        (_, Remedy::OtherConfiguration) => {
            label.misconfigured(format!("{doing} failed: {message}"))
        }
        (_, remedy) => label.driver_with(doing, message, remedy),
    }
}

/// Returns the error of a user's own statement. It is a statement error, unless the database itself
/// failed.
pub(super) fn statement_failure(label: &Label, error: &Error) -> StoreError {
    let remedy = remedy(error);
    let is_of_database = match error.code() {
        // The user's code stood still for longer than a transaction may.
        Some(&SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT) => false,
        _ if is_lost(error) => true,
        // A server that is read-only for now, for example after a failover.
        Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => true,
        // Its own time limit, a state that it brought about, a bug of the server that it has met.
        Some(&SqlState::QUERY_CANCELED | &SqlState::INTERNAL_ERROR) => false,
        Some(code) if code.code().starts_with("25") => false,
        Some(code) if [SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED].contains(code) => true,
        Some(_) => matches!(remedy, Remedy::RetryNow | Remedy::RetryLater),
        None => false,
    };
    if is_of_database {
        return label.driver_with("a statement", Message::of(error), remedy);
    }
    label.statement(Message::of(error).to_string())
}

/// Returns true if a concurrent write prevented this one and nothing was written, so that retrying
/// at once may succeed. A unique violation means that another program wrote without taking the
/// lock. `ES001` is raised by the function that appends events.
pub(super) fn may_retry_now(code: &SqlState) -> bool {
    *code == SqlState::UNIQUE_VIOLATION || table::remedy(code.code()) == Remedy::RetryNow
}

/// The code that the functions raise if the sequence of positions lies behind the events.
pub(super) const SEQUENCE_BEHIND: &str = "ES003";

/// Returns true if the sequence of positions has given one that is not above the last event's.
/// `index` is the unique index of the positions.
pub(super) fn is_sequence_behind(error: &Error, index: &str) -> bool {
    let Some(error) = error.as_db_error() else {
        return false;
    };
    error.code().code() == SEQUENCE_BEHIND
        || *error.code() == SqlState::UNIQUE_VIOLATION && error.constraint() == Some(index)
}

/// Returns true if the connection is lost, so that a request sent on it may or may not have been
/// executed.
pub(crate) fn is_lost(error: &Error) -> bool {
    // The server closes the connection after a fatal error.
    let severity = error.as_db_error().and_then(DbError::parsed_severity);
    if matches!(severity, Some(Severity::Fatal | Severity::Panic)) {
        return true;
    }
    match error.code() {
        Some(code) => {
            let gone = [
                SqlState::ADMIN_SHUTDOWN,
                SqlState::CRASH_SHUTDOWN,
                SqlState::CANNOT_CONNECT_NOW,
                SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            ];
            // 57P05 is the timeout of idle sessions.
            gone.contains(code) || code.code() == "57P05" || code.code().starts_with("08")
        }
        None => !is_of_parameter(error),
    }
}

/// Returns true if the server, the database or the role has no connection left.
pub(super) fn is_none_left(error: &Error) -> bool {
    error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS)
}

/// Returns true if a parameter could not be serialized, so that nothing was sent.
fn is_of_parameter(error: &Error) -> bool {
    has_source::<WrongType>(error) || has_source::<BadParameter>(error)
}

fn has_source<E: std::error::Error + 'static>(error: &Error) -> bool {
    error.source().is_some_and(|source| source.is::<E>())
}

/// Returns true if a prepared statement is not valid any more, because the type of a column was
/// changed or the session has lost the statement. It was not executed.
pub(super) fn is_outdated(error: &Error) -> bool {
    let outdated = [
        SqlState::FEATURE_NOT_SUPPORTED,
        SqlState::INVALID_SQL_STATEMENT_NAME,
    ];
    error.code().is_some_and(|code| outdated.contains(code)) || has_source::<WrongType>(error)
}
