//! The meaning of the driver's errors.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// The message of an error with its causes. The server's detail is left out, since it may quote
/// values of a row.
pub(crate) fn message(error: &Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let of_cause = cause.to_string();
        if !message.contains(&of_cause) {
            message = format!("{message}: {of_cause}");
        }
        source = cause.source();
    }
    message
}

/// Returns true if the connection is gone, so that what was sent on it may or may not have been
/// done. An error of severity FATAL or PANIC ends the session, whatever its code.
pub(crate) fn is_lost(error: &Error) -> bool {
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
            // 57P05 ends idle sessions; 08 is the class of connections.
            gone.contains(code) || code.code() == "57P05" || code.code().starts_with("08")
        }
        None => !error.to_string().starts_with("error serializing"),
    }
}
