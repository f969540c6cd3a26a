//! The name of a database in errors, and the errors that need nothing but that name.

use std::error::Error;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use crate::error::StoreError;

/// The name of a database in errors, and its limit for waiting for a lock.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    store: Arc<str>,
    lock_timeout: Duration,
    lock_key: &'static str,
}

impl Label {
    /// A label for `store`. `lock_key` is the setting that holds `lock_timeout`.
    pub(crate) fn new(store: &str, lock_timeout: Duration, lock_key: &'static str) -> Self {
        Self {
            store: store.into(),
            lock_timeout,
            lock_key,
        }
    }

    /// The name of the database.
    pub(crate) fn store(&self) -> String {
        self.store.to_string()
    }

    /// The error of the driver while it was `doing` something.
    pub(crate) fn driver(
        &self,
        doing: &'static str,
        error: impl Error + Send + Sync + 'static,
    ) -> StoreError {
        StoreError::Driver {
            store: self.store(),
            doing,
            error: Arc::new(error),
        }
    }

    /// The error of content that the database does not keep, while it was `doing` something.
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

    /// The error of a lock that `holder` did not give up in time.
    pub(crate) fn locked(&self, holder: impl Into<String>) -> StoreError {
        StoreError::Locked {
            store: self.store(),
            holder: holder.into(),
            limit: self.lock_timeout,
            key: self.lock_key,
        }
    }

    /// The error of writing to a database that can only be read.
    pub(crate) fn read_only(&self, doing: &'static str) -> StoreError {
        StoreError::ReadOnly {
            store: self.store(),
            doing,
        }
    }

    /// The error of a commit whose outcome is not known.
    pub(crate) fn outcome_unknown(&self, error: impl Error + Send + Sync + 'static) -> StoreError {
        StoreError::OutcomeUnknown {
            store: self.store(),
            error: Arc::new(error),
        }
    }

    /// The error of a thread that could not be started.
    pub(crate) fn no_thread(&self, error: std::io::Error) -> StoreError {
        self.driver("starting a thread", error)
    }

    /// The error of a row that cannot be read.
    pub(crate) fn damaged(&self, at: impl Into<String>, problem: impl Into<String>) -> StoreError {
        StoreError::DamagedRow {
            store: self.store(),
            at: at.into(),
            problem: problem.into(),
        }
    }

    /// The error of a database that is not set up as it must be.
    pub(crate) fn misconfigured(&self, problem: impl Display) -> StoreError {
        StoreError::Configuration(format!("{}: {problem}", self.store))
    }

    /// The error of a statement of the user's own.
    pub(crate) fn statement(&self, problem: impl Into<String>) -> StoreError {
        StoreError::Statement {
            store: self.store(),
            problem: problem.into(),
        }
    }

    /// The same database, with a limit for waiting of at least `limit`.
    pub(crate) fn waiting_at_least(&self, limit: Duration) -> Self {
        Self {
            lock_timeout: self.lock_timeout.max(limit),
            ..self.clone()
        }
    }

    /// The limit for waiting for a lock.
    pub(crate) fn lock_timeout(&self) -> Duration {
        self.lock_timeout
    }
}
