//! The codes of SQLite's errors, and their remedies.

use rusqlite::{Error, ErrorCode, ffi};

use crate::error::StoreError;
use crate::sql::label::Label;
use crate::sql::remedy::Remedy;

/// Returns the remedy of an error of SQLite.
fn remedy(error: &Error) -> Remedy {
    let Some(code) = error.sqlite_error_code() else {
        // An error of the driver: a value that cannot be converted, or a wrong name.
        return Remedy::Nothing;
    };
    match code {
        ErrorCode::SchemaChanged
        | ErrorCode::OperationAborted
        | ErrorCode::OperationInterrupted => Remedy::RetryNow,
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::OutOfMemory
        | ErrorCode::CannotOpen
        | ErrorCode::FileLockingProtocolFailed => Remedy::RetryLater,
        ErrorCode::TooBig
        | ErrorCode::ConstraintViolation
        | ErrorCode::TypeMismatch
        | ErrorCode::ParameterOutOfRange => Remedy::OtherContent,
        ErrorCode::ReadOnly
        | ErrorCode::PermissionDenied
        | ErrorCode::AuthorizationForStatementDenied
        | ErrorCode::NotADatabase => Remedy::OtherConfiguration,
        _ => Remedy::Nothing,
    }
}

/// Converts the error of one of the library's own statements that failed while it was `doing`
/// something.
pub(super) fn failed(label: &Label, doing: &'static str, error: Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            label.locked("another connection")
        }
        Some(ErrorCode::ReadOnly) => label.read_only(doing),
        _ if remedy(&error) == Remedy::OtherContent => label.refused(doing, error),
        _ => label.driver(doing, error),
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
    let is_of_database = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => true,
        _ => remedy(&error) == Remedy::RetryLater,
    };
    if is_of_database {
        return label.driver("a statement", error);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of_code(code: i32) -> Remedy {
        remedy(&Error::SqliteFailure(ffi::Error::new(code), None))
    }

    #[test]
    fn each_code_has_its_remedy() {
        let table = [
            (ffi::SQLITE_SCHEMA, Remedy::RetryNow),
            (ffi::SQLITE_BUSY, Remedy::RetryLater),
            (ffi::SQLITE_BUSY_SNAPSHOT, Remedy::RetryLater),
            (ffi::SQLITE_FULL, Remedy::RetryLater),
            (ffi::SQLITE_IOERR_FSYNC, Remedy::RetryLater),
            (ffi::SQLITE_TOOBIG, Remedy::OtherContent),
            (ffi::SQLITE_CONSTRAINT_TRIGGER, Remedy::OtherContent),
            (ffi::SQLITE_CONSTRAINT_CHECK, Remedy::OtherContent),
            (ffi::SQLITE_READONLY, Remedy::OtherConfiguration),
            (ffi::SQLITE_NOTADB, Remedy::OtherConfiguration),
            (ffi::SQLITE_CORRUPT, Remedy::Nothing),
        ];
        for (code, remedy) in table {
            assert_eq!(of_code(code), remedy, "{code}");
        }
    }
}
