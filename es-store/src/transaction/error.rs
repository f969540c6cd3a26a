//! What can go wrong with a statement.

use crate::StoreError;

/// How errors call what the transaction is of.
#[derive(Debug)]
pub(crate) struct Label {
    pub(crate) application: String,
    pub(crate) store: String,
}

/// A statement that failed, or a row that could not be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{application}: {problem}")]
pub struct SqlError {
    /// The application whose tables they are.
    pub application: String,
    /// What happened.
    pub problem: StoreError,
}

impl Label {
    pub(super) fn error(&self, problem: StoreError) -> SqlError {
        SqlError {
            application: self.application.clone(),
            problem,
        }
    }

    /// The error of a call that cannot work.
    pub(super) fn refused(&self, problem: String) -> SqlError {
        self.error(self.statement(problem))
    }

    pub(super) fn statement(&self, problem: String) -> StoreError {
        StoreError::Statement {
            store: self.store.clone(),
            problem,
        }
    }
}
