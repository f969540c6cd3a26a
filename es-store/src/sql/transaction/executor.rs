//! The library's own statements in a user's transaction.

use super::{ToValue, Transaction, Value};
use crate::error::StoreError;
use crate::sql::executor::Executor;

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
