//! The library's own statements on an open connection or transaction, whatever the database.

use super::{ToValue, Transaction, Value};
use crate::error::StoreError;

/// An open connection or transaction of one database.
///
/// Parameters are `$1`, `$2` and so on, each of which occurs in the statement. One text is executed
/// often, so it may be kept prepared.
pub(crate) trait Executor {
    /// The error of a statement.
    type Error: From<StoreError>;

    /// Executes a statement. Returns the number of rows that it has changed.
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Self::Error>;

    /// Runs a query. Returns the columns of all rows that it finds.
    fn select(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, Self::Error>;
}

impl Executor for Transaction<'_> {
    type Error = StoreError;

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let done = Transaction::execute(self, sql, &borrowed(params));
        done.map_err(|error| of_own(error.problem))
    }

    fn select(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, StoreError> {
        let rows = self.query(sql, &borrowed(params));
        let rows = rows.map_err(|error| of_own(error.problem))?;
        Ok(rows.into_iter().map(|row| row.values).collect())
    }
}

fn borrowed(params: &[Value]) -> Vec<&dyn ToValue> {
    params.iter().map(|param| param as &dyn ToValue).collect()
}

/// Returns the error of one of the library's own statements. It is right for the tables that the
/// library creates, so the tables are others, or a privilege is missing.
fn of_own(problem: StoreError) -> StoreError {
    match problem {
        StoreError::Statement { store, problem } => StoreError::Configuration(format!(
            "{store}: reading or writing what is set aside failed: {problem}"
        )),
        problem => problem,
    }
}
