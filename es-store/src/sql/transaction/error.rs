//! The errors of a statement.

use crate::error::StoreError;
use crate::sql::label::Label;

/// The application that owns the tables, and the database that has them.
#[derive(Debug)]
pub(crate) struct Owner {
    application: String,
    pub(super) label: Label,
}

/// A statement that failed, or a row that could not be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{application}: {problem}")]
#[non_exhaustive]
pub struct SqlError {
    /// The application that owns the tables.
    pub application: String,
    /// The problem.
    pub problem: StoreError,
}

impl Owner {
    /// Creates the owner of the tables of `application`.
    pub(crate) fn new(application: &str, label: Label) -> Self {
        Self {
            application: application.to_owned(),
            label,
        }
    }

    pub(super) fn error(&self, problem: StoreError) -> SqlError {
        SqlError {
            application: self.application.clone(),
            problem,
        }
    }

    /// Creates the error of a refused call.
    pub(super) fn refused(&self, problem: impl Into<String>) -> SqlError {
        self.error(self.label.statement(problem))
    }
}
