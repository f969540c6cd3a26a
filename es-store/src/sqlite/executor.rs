//! The library's own statements with values of any type.

use rusqlite::Connection;

use super::codes;
use super::statements::{bind, select};
use crate::error::StoreError;
use crate::sql::label::Label;
use crate::sql::transaction::{Executor, Value};

/// A connection, and what the library does with it, as errors tell it.
pub(super) struct SqliteExecutor<'a> {
    pub(super) connection: &'a Connection,
    pub(super) label: &'a Label,
    pub(super) doing: &'static str,
}

impl Executor for SqliteExecutor<'_> {
    type Error = StoreError;

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let failed = |error| codes::failed(self.label, self.doing, error);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        bind(&mut statement, self.label, params)?;
        let changed = statement.raw_execute().map_err(failed)?;
        Ok(changed as u64)
    }

    fn select(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, StoreError> {
        let failed = |error| codes::failed(self.label, self.doing, error);
        let selected = select(self.connection, self.label, sql, params, failed)?;
        Ok(selected.rows)
    }
}
