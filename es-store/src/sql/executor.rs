//! The library's own statements on an open connection or transaction, whatever the database.

use super::transaction::Value;
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
