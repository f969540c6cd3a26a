//! The codes of SQLite's errors, and their remedies.

mod table;

use rusqlite::{Error, ErrorCode, ffi};

use crate::error::{Remedy, StoreError};
use crate::sql::label::Label;

/// Returns the remedy for an error of one of the library's own statements.
fn remedy(error: &Error) -> Remedy {
    match error.sqlite_extended_error_code() {
        Some(code) => table::remedy(code),
        // An error of the driver: a value that cannot be converted, or a wrong name.
        None => Remedy::Nothing,
    }
}

/// Converts the error of one of the library's own statements that failed while it was `doing`
/// something.
pub(super) fn failed(label: &Label, doing: &'static str, error: Error) -> StoreError {
    match (error.sqlite_error_code(), remedy(&error)) {
        (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => {
            label.locked("another connection")
        }
        (Some(ErrorCode::ReadOnly), _) => label.read_only(doing),
        (_, Remedy::OtherContent) => label.refused(doing, error),
        (_, Remedy::OtherConfiguration) => {
            label.misconfigured(format!("{doing} failed: {}", message(&error)))
        }
        (_, remedy) => label.driver_with(doing, error, remedy),
    }
}

/// Converts the error of a commit. If writing failed during the commit, nobody knows what a restart
/// will find.
pub(super) fn commit_failed(label: &Label, error: Error) -> StoreError {
    if is_lost_write(&error) {
        return label.outcome_unknown(error);
    }
    failed(label, "committing", error)
}

/// Returns true if writing or flushing failed, so that the content of the file is unknown.
pub(super) fn is_lost_write(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
}

/// Converts the error of a user's statement: the fault of the statement, unless the database
/// failed.
pub(super) fn statement_failed(label: &Label, error: Error) -> StoreError {
    let remedy = remedy(&error);
    let is_of_file = matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::CannotOpen
                | ErrorCode::SystemIoFailure
        )
    );
    if is_of_file && remedy == Remedy::OtherConfiguration {
        return label.misconfigured(format!("a statement failed: {}", message(&error)));
    }
    if is_of_file || remedy == Remedy::RetryLater {
        return label.driver_with("a statement", error, remedy);
    }
    label.statement(message(&error))
}

/// Returns true if a row with this key exists already.
pub(super) fn is_duplicate(error: &Error) -> bool {
    matches!(
        error.sqlite_extended_error_code(),
        Some(ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE)
    )
}

/// Returns SQLite's message, without the text of the statement that rusqlite may add.
fn message(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        Error::SqlInputError { msg, .. } => msg.clone(),
        error => error.to_string(),
    }
}
