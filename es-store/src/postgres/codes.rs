//! The error codes of PostgreSQL and their meaning.

use std::error::Error as _;

use es_core::error_chain;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};
use tokio_postgres::types::WrongType;

use crate::error::StoreError;
use crate::sql::label::Label;
use crate::sql::remedy::Remedy;

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

/// Returns the remedy for a code of the server, which its class decides: the first two characters.
fn remedy(code: &SqlState) -> Remedy {
    let by_code = [
        // A deferred constraint that was violated at the commit.
        (
            SqlState::T_R_INTEGRITY_CONSTRAINT_VIOLATION,
            Remedy::OtherContent,
        ),
        (SqlState::LOCK_NOT_AVAILABLE, Remedy::RetryLater),
        (SqlState::QUERY_CANCELED, Remedy::RetryLater),
        (
            SqlState::READ_ONLY_SQL_TRANSACTION,
            Remedy::OtherConfiguration,
        ),
        (SqlState::RAISE_EXCEPTION, Remedy::OtherContent),
    ];
    if let Some((_, remedy)) = by_code.iter().find(|(of, _)| of == code) {
        return *remedy;
    }
    match code.code().get(..2).unwrap_or_default() {
        // Deadlocks and serialization failures.
        "40" => Remedy::RetryNow,
        // Connections, resources, operator intervention and system errors.
        "08" | "53" | "57" | "58" => Remedy::RetryLater,
        // Values, constraints and limits of the server.
        "22" | "23" | "54" => Remedy::OtherContent,
        // Roles, databases, schemas, tables and privileges.
        "28" | "3D" | "3F" | "42" => Remedy::OtherConfiguration,
        _ => Remedy::Nothing,
    }
}

/// Returns the error of one of the library's own statements, executed while `doing` something.
pub(super) fn failure(label: &Label, doing: &'static str, error: &Error) -> StoreError {
    match error.code() {
        Some(&SqlState::LOCK_NOT_AVAILABLE) => label.locked("another connection"),
        Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => label.read_only(doing),
        Some(code) if remedy(code) == Remedy::OtherContent => {
            label.refused(doing, Message::of(error))
        }
        _ => label.driver(doing, Message::of(error)),
    }
}

/// Returns the error of a user's own statement. It is a statement error, unless the database itself
/// failed.
pub(super) fn statement_failure(label: &Label, error: &Error) -> StoreError {
    let is_of_database = match error.code() {
        // The user's code stood still for longer than a transaction may.
        Some(&SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT) => false,
        _ if is_lost(error) => true,
        // A server that is read-only for now, for example after a failover.
        Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => true,
        Some(&SqlState::QUERY_CANCELED) => false,
        Some(code) => matches!(remedy(code), Remedy::RetryNow | Remedy::RetryLater),
        None => false,
    };
    if is_of_database {
        return label.driver("a statement", Message::of(error));
    }
    label.statement(Message::of(error).to_string())
}

/// Returns true if a concurrent write prevented this one and nothing was written, so that retrying
/// at once may succeed. A unique violation means that another program wrote without taking the
/// lock. `ES001` is raised by the function that appends events.
pub(super) fn may_retry_now(code: &SqlState) -> bool {
    *code == SqlState::UNIQUE_VIOLATION
        || code.code() == "ES001"
        || remedy(code) == Remedy::RetryNow
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

/// Returns true if a parameter could not be serialized, so that nothing was sent.
fn is_of_parameter(error: &Error) -> bool {
    error
        .source()
        .is_some_and(|source| source.is::<WrongType>() || source.is::<BadParameter>())
}

/// Returns true if a prepared statement has become invalid because the type of a column was
/// changed. The statement was not executed.
pub(super) fn is_outdated(error: &Error) -> bool {
    error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_of_codes_has_its_remedy() {
        let table = [
            ("40P01", Remedy::RetryNow),
            ("40001", Remedy::RetryNow),
            ("40002", Remedy::OtherContent),
            ("08006", Remedy::RetryLater),
            ("53100", Remedy::RetryLater),
            ("55P03", Remedy::RetryLater),
            ("57P01", Remedy::RetryLater),
            ("22001", Remedy::OtherContent),
            ("23514", Remedy::OtherContent),
            ("54000", Remedy::OtherContent),
            ("P0001", Remedy::OtherContent),
            ("25006", Remedy::OtherConfiguration),
            ("42501", Remedy::OtherConfiguration),
            ("XX001", Remedy::Nothing),
        ];
        for (code, expected) in table {
            assert_eq!(remedy(&SqlState::from_code(code)), expected, "{code}");
        }
    }
}
