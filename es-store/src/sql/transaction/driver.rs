//! The part of a transaction that a database implements.

use super::Value;
use super::row::Selected;
use crate::error::StoreError;
use crate::sql::label::Label;
use crate::sync::Flag;

/// An open transaction of one database. It is rolled back when it is dropped.
pub(crate) trait Driver<'a> {
    /// Executes a statement. Returns the number of rows that it has changed.
    fn execute(&mut self, label: &Label, sql: &str, params: &[Value]) -> Result<u64, StoreError>;

    /// Runs a query. Returns all rows that it finds.
    fn query(&mut self, label: &Label, sql: &str, params: &[Value])
    -> Result<Selected, StoreError>;

    /// Prepares for statements that rename or drop tables. From now on they wait only a moment for
    /// those who use the tables, if everyone else who wants them would wait as long.
    fn begin_renames(&mut self, label: &Label) -> Result<(), StoreError>;

    /// Ends what [`begin_renames`](Self::begin_renames) began.
    fn end_renames(&mut self, label: &Label) -> Result<(), StoreError>;

    /// Raises `in_statement` while a statement runs, from now on.
    fn show_statements(&mut self, in_statement: Flag);

    /// Commits the transaction.
    fn commit(self: Box<Self>, label: &Label) -> Result<(), StoreError>;

    /// Rolls the transaction back.
    fn roll_back(self: Box<Self>);

    /// Prevents the user of PostgreSQL's own transaction from committing it.
    #[cfg(all(feature = "driver", feature = "postgres"))]
    fn guard(&mut self, _label: &Label) -> Result<(), StoreError> {
        Ok(())
    }

    /// Fails if a statement of the user's own has ended the transaction.
    #[cfg(feature = "driver")]
    fn check_open(&mut self, label: &Label) -> Result<(), StoreError>;

    /// Returns SQLite's own connection.
    #[cfg(all(feature = "driver", feature = "sqlite"))]
    fn sqlite(&self) -> Option<&rusqlite::Connection> {
        None
    }

    /// Returns PostgreSQL's own transaction.
    #[cfg(all(feature = "driver", feature = "postgres"))]
    fn postgres(&mut self) -> Option<&mut crate::postgres_client::Transaction<'a>> {
        None
    }
}
