//! The rows of a query.

use std::fmt::Display;
use std::sync::Arc;

use super::error::{Owner, SqlError};
use super::value::{FromValue, Value};

/// The result of a query: the names of its columns, and the values of each row.
pub(crate) struct Selected {
    pub(crate) columns: Arc<[String]>,
    pub(crate) rows: Vec<Vec<Value>>,
}

/// A row of a query's result.
#[derive(Debug, Clone)]
pub struct Row {
    pub(super) owner: Arc<Owner>,
    pub(super) columns: Arc<[String]>,
    pub(super) values: Vec<Value>,
}

/// A column of a row: its index, counted from 0, or its name.
pub trait Column: Display {
    /// Returns its index in `columns`, or `None` if it is not there.
    fn among(&self, columns: &[String]) -> Option<usize>;
}

impl Column for usize {
    fn among(&self, columns: &[String]) -> Option<usize> {
        (*self < columns.len()).then_some(*self)
    }
}

impl Column for &str {
    fn among(&self, columns: &[String]) -> Option<usize> {
        columns.iter().position(|column| column == self)
    }
}

impl Row {
    /// Returns the value of a column.
    ///
    /// # Errors
    /// Fails when there is no such column, or its value has another type. `NULL` can be read only
    /// as an `Option`.
    pub fn get<T: FromValue>(&self, column: impl Column) -> Result<T, SqlError> {
        let index = column.among(&self.columns);
        let Some(value) = index.and_then(|index| self.values.get(index)) else {
            let there = self.columns.join("`, `");
            let problem = format!("there is no column `{column}`, only `{there}`");
            return Err(self.owner.refused(problem));
        };
        T::from_value(value).ok_or_else(|| {
            let (found, expected) = (value.kind(), T::EXPECTED);
            let problem = format!("column `{column}` is {found}, and was read as {expected}");
            self.owner.refused(problem)
        })
    }
}
