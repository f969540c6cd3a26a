//! How a database is called in errors, and what the driver's errors mean.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::ErrorCode;

use crate::StoreError;

/// The name of a database, for errors, and its limit for locks.
#[derive(Debug, Clone)]
pub(super) struct Label {
    name: Arc<str>,
    lock_timeout: Duration,
}

impl Label {
    pub(super) fn new(name: &str, lock_timeout: Duration) -> Self {
        Self {
            name: name.into(),
            lock_timeout,
        }
    }

    /// How errors call it.
    pub(super) fn store(&self) -> String {
        self.name.to_string()
    }

    /// The error of the driver while it was `doing` something.
    pub(super) fn failed(&self, doing: &'static str, error: rusqlite::Error) -> StoreError {
        let store = self.name.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked {
                store,
                holder: "another connection".to_owned(),
                limit: self.lock_timeout,
                key: "SQLITE_LOCK_TIMEOUT",
            },
            Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { store, doing },
            _ => StoreError::Driver {
                store,
                doing,
                error: Arc::new(error),
            },
        }
    }

    /// The error of a commit. When writing failed in the middle of it, what a restart will find is not known.
    pub(super) fn commit_failed(&self, error: rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(ErrorCode::SystemIoFailure) => StoreError::OutcomeUnknown {
                store: self.name.to_string(),
                problem: error.to_string(),
            },
            _ => self.failed("committing", error),
        }
    }

    pub(super) fn read_only(&self, doing: &'static str) -> StoreError {
        StoreError::ReadOnly {
            store: self.name.to_string(),
            doing,
        }
    }

    pub(super) fn no_thread(&self, error: std::io::Error) -> StoreError {
        StoreError::Driver {
            store: self.name.to_string(),
            doing: "starting a thread",
            error: Arc::new(error),
        }
    }

    pub(super) fn damaged(&self, at: impl Into<String>, problem: impl Into<String>) -> StoreError {
        StoreError::DamagedRow {
            store: self.name.to_string(),
            at: at.into(),
            problem: problem.into(),
        }
    }

    pub(super) fn misconfigured(&self, problem: impl std::fmt::Display) -> StoreError {
        StoreError::Configuration(format!("{}: {problem}", self.name))
    }
}
