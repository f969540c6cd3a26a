//! The rows of a query.

use std::sync::Arc;

use super::{FromValue, Label, SqlError, Value};

/// A row that a query has found.
#[derive(Debug, Clone)]
pub struct Row {
    pub(super) label: Arc<Label>,
    pub(super) columns: Arc<[String]>,
    pub(super) values: Vec<Value>,
}

/// Which column of a row: its number, from 0 on, or its name.
pub trait Column: std::fmt::Display {
    /// Its number among these; `None` if it is not there.
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
    /// The value of a column.
    ///
    /// # Errors
    /// When there is no such column, or its value is of another type; `NULL` is read as an `Option`.
    pub fn get<T: FromValue>(&self, column: impl Column) -> Result<T, SqlError> {
        let value = column
            .among(&self.columns)
            .and_then(|column| self.values.get(column));
        let Some(value) = value else {
            let there = self.columns.join("`, `");
            return Err(self
                .label
                .refused(format!("there is no column `{column}`, only `{there}`")));
        };
        T::from_value(value).ok_or_else(|| {
            let (found, expected) = (value.kind(), T::EXPECTED);
            self.label.refused(format!(
                "column `{column}` is {found}, and was read as {expected}"
            ))
        })
    }
}
