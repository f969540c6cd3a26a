//! The name of a database in errors, and the errors that need only that name.

use std::error::Error;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Remedy, StoreError};

/// The name of a database in errors, and its limit for waiting for a lock.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    store: Arc<str>,
    lock_timeout: Duration,
    lock_key: &'static str,
}

impl Label {
    /// Creates a label for `store`. `lock_key` is the setting that holds `lock_timeout`.
    pub(crate) fn new(store: &str, lock_timeout: Duration, lock_key: &'static str) -> Self {
        Self {
            store: store.into(),
            lock_timeout,
            lock_key,
        }
    }

    /// Returns the name of the database.
    pub(crate) fn store(&self) -> String {
        self.store.to_string()
    }

    /// Creates the error of a driver that failed while it was `doing` something. A later retry may
    /// succeed.
    pub(crate) fn driver(
        &self,
        doing: &'static str,
        error: impl Error + Send + Sync + 'static,
    ) -> StoreError {
        self.driver_with(doing, error, Remedy::RetryLater)
    }

    /// Does the same, with another remedy.
    pub(crate) fn driver_with(
        &self,
        doing: &'static str,
        error: impl Error + Send + Sync + 'static,
        remedy: Remedy,
    ) -> StoreError {
        StoreError::Driver {
            store: self.store(),
            doing,
            error: Arc::new(error),
            remedy,
        }
    }

    /// Creates the error of content that the database refused while it was `doing` something.
    pub(crate) fn refused(
        &self,
        doing: &'static str,
        error: impl Error + Send + Sync + 'static,
    ) -> StoreError {
        StoreError::Refused {
            store: self.store(),
            doing,
            error: Arc::new(error),
        }
    }

    /// Creates the error of a lock that `holder` did not release in time.
    pub(crate) fn locked(&self, holder: impl Into<String>) -> StoreError {
        StoreError::Locked {
            store: self.store(),
            holder: holder.into(),
            limit: self.lock_timeout,
            key: self.lock_key,
        }
    }

    /// Creates the error of a write to a read-only database.
    pub(crate) fn read_only(&self, doing: &'static str) -> StoreError {
        StoreError::ReadOnly {
            store: self.store(),
            doing,
        }
    }

    /// Creates the error of a commit whose outcome is unknown.
    pub(crate) fn outcome_unknown(&self, error: impl Error + Send + Sync + 'static) -> StoreError {
        StoreError::OutcomeUnknown {
            store: self.store(),
            error: Arc::new(error),
        }
    }

    /// Creates the error of a thread that could not be started.
    pub(crate) fn no_thread(&self, error: std::io::Error) -> StoreError {
        self.driver("starting a thread", error)
    }

    /// Creates the error of a row that cannot be read.
    pub(crate) fn damaged(&self, at: impl Into<String>, problem: impl Into<String>) -> StoreError {
        StoreError::DamagedRow {
            store: self.store(),
            at: at.into(),
            problem: problem.into(),
        }
    }

    /// Creates the error of a database that is configured wrongly.
    pub(crate) fn misconfigured(&self, problem: impl Display) -> StoreError {
        StoreError::Configuration(format!("{}: {problem}", self.store))
    }

    /// Creates the error of a statement of the user's own.
    pub(crate) fn statement(&self, problem: impl Into<String>) -> StoreError {
        StoreError::Statement {
            store: self.store(),
            problem: problem.into(),
        }
    }

    /// Returns a label of the same database, with a limit for waiting of at least `limit`.
    pub(crate) fn waiting_at_least(&self, limit: Duration) -> Self {
        Self {
            lock_timeout: self.lock_timeout.max(limit),
            ..self.clone()
        }
    }

    /// Returns the limit for waiting for a lock.
    pub(crate) fn lock_timeout(&self) -> Duration {
        self.lock_timeout
    }
}
