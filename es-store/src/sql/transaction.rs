//! The open transaction of a database, for statements of the user's own.

mod access;
mod driver;
mod error;
mod executor;
mod first_keyword;
#[cfg(feature = "driver")]
mod own;
mod row;
mod value;

use std::cell::RefCell;
use std::fmt::Display;
use std::sync::Arc;

pub use self::access::{Access, End};
pub(crate) use self::driver::Driver;
pub(crate) use self::error::Owner;
pub use self::error::SqlError;
pub(crate) use self::executor::Executor;
use self::first_keyword::transaction_keyword;
pub(crate) use self::row::Selected;
pub use self::row::{Column, Row};
#[cfg(feature = "postgres")]
pub(crate) use self::value::exact;
pub use self::value::{FromValue, ToValue, Value};
use crate::error::StoreError;
use crate::sql::names::{Stage, TableNames, quoted};
use crate::sync::Flag;

/// An open transaction of SQLite or PostgreSQL.
///
/// A handler of a projection gets the transaction that moves its position: the handler's changes
/// are committed with that move, or not at all. One statement text serves both databases.
/// Parameters are `$1`, `$2` and so on, and values have the types that [`Value`] lists. With the
/// cargo feature `driver`, the methods `sqlite` and `postgres` give access to the database's own
/// transaction.
///
/// The library begins and ends the transaction: `BEGIN`, `COMMIT` and `ROLLBACK` are refused. After
/// a statement has failed, the transaction refuses all others and is rolled back, even if the
/// handler ignores the error.
pub struct Transaction<'a> {
    driver: Box<dyn Driver<'a> + 'a>,
    owner: Arc<Owner>,
    names: Arc<TableNames>,
    stage: Stage,
    /// The first failure.
    failure: Option<StoreError>,
    /// True if the database's own transaction was handed out since `failure` was last called.
    #[cfg(feature = "driver")]
    is_handed_out: bool,
    /// The names of the tables that were used. The cell lets [`table`](Self::table) run within the
    /// arguments of `execute`.
    named: RefCell<Vec<String>>,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(
        driver: impl Driver<'a> + 'a,
        owner: Arc<Owner>,
        names: Arc<TableNames>,
    ) -> Self {
        Self {
            driver: Box::new(driver),
            owner,
            names,
            stage: Stage::Live,
            failure: None,
            #[cfg(feature = "driver")]
            is_handed_out: false,
            named: RefCell::default(),
        }
    }

    /// Executes a statement. Returns the number of rows that it has changed.
    ///
    /// ```
    /// use es_store::{SqlError, Transaction};
    ///
    /// fn count(tx: &mut Transaction<'_>, trick: &str) -> Result<(), SqlError> {
    ///     let counts = tx.table("trick_counts");
    ///     let sql = format!(
    ///         "INSERT INTO {counts} AS t (trick, count) VALUES ($1, 1)
    ///          ON CONFLICT (trick) DO UPDATE SET count = t.count + 1"
    ///     );
    ///     tx.execute(&sql, &[&trick])?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// Fails when the statement is wrong, the number of parameters differs from that of the
    /// statement, an earlier statement has failed, or the store fails.
    pub fn execute(&mut self, sql: &str, params: &[&dyn ToValue]) -> Result<u64, SqlError> {
        let params = self.begin_statement(sql, params)?;
        let done = self.driver.execute(&self.owner.label, sql, &params);
        self.end_statement(done)
    }

    /// Runs a query. Returns all rows that it finds.
    ///
    /// ```
    /// use es_store::{SqlError, Transaction};
    ///
    /// fn counts(tx: &mut Transaction<'_>) -> Result<Vec<(String, i64)>, SqlError> {
    ///     let counts = tx.table("trick_counts");
    ///     let sql = format!("SELECT trick, count FROM {counts} ORDER BY trick");
    ///     let rows = tx.query(&sql, &[])?;
    ///     rows.iter().map(|row| Ok((row.get("trick")?, row.get("count")?))).collect()
    /// }
    /// ```
    ///
    /// # Errors
    /// Fails as [`execute`](Self::execute) does, and when a column has a type that [`Value`] lacks.
    /// Cast such a column, as in `CAST(SUM(count) AS BIGINT)`.
    pub fn query(&mut self, sql: &str, params: &[&dyn ToValue]) -> Result<Vec<Row>, SqlError> {
        let params = self.begin_statement(sql, params)?;
        let found = self.driver.query(&self.owner.label, sql, &params);
        let Selected { columns, rows } = self.end_statement(found)?;
        let row = |values| Row {
            owner: self.owner.clone(),
            columns: columns.clone(),
            values,
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Runs a query. Returns the first row that it finds, or `None`.
    ///
    /// # Errors
    /// Fails as [`query`](Self::query) does.
    pub fn query_first(
        &mut self,
        sql: &str,
        params: &[&dyn ToValue],
    ) -> Result<Option<Row>, SqlError> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// Returns the quoted name of the table `name` for a statement: the table that is queried, or,
    /// during a rebuild, the new table beside it.
    pub fn table(&self, name: &str) -> String {
        let mut named = self.named.borrow_mut();
        if !named.iter().any(|named| named == name) {
            named.push(name.to_owned());
        }
        self.names.path(&self.stage.physical(name))
    }

    /// Returns the name of the index `name` for the statement that creates it: `CREATE INDEX
    /// {index} ON {table} (..)`. Each rebuild has another name for it, because the old index still
    /// exists while the new one is created.
    pub fn index(&self, name: &str) -> String {
        quoted(&self.stage.physical(name))
    }

    /// Returns true during a rebuild, whose tables nobody queries yet.
    pub fn is_rebuild(&self) -> bool {
        matches!(self.stage, Stage::Rebuild(_))
    }

    /// Returns the reason why the transaction cannot be committed, if there is one: a statement has
    /// failed, or has ended the transaction. Call it after each piece of a user's code.
    pub fn failure(&mut self) -> Option<StoreError> {
        #[cfg(feature = "driver")]
        self.check_handed_out();
        self.failure.clone()
    }

    /// Raises `in_statement` while a statement runs, for other threads to see what the user's code
    /// waits for.
    #[doc(hidden)]
    pub fn __show_statements(&mut self, in_statement: Flag) {
        self.driver.show_statements(in_statement);
    }

    fn begin_statement(&self, sql: &str, params: &[&dyn ToValue]) -> Result<Vec<Value>, SqlError> {
        if self.failure.is_some() {
            let problem = "a statement before it has failed, so everything is rolled back";
            return Err(self.owner.refused(problem));
        }
        if let Some(keyword) = transaction_keyword(sql) {
            let problem =
                format!("`{keyword}` is refused: the library begins and ends the transaction");
            return Err(self.owner.refused(problem));
        }
        let too_large = || {
            let problem = format!("a parameter is a number above {}", i64::MAX);
            self.owner.refused(problem)
        };
        params
            .iter()
            .map(|param| param.to_value().ok_or_else(too_large))
            .collect()
    }

    fn end_statement<T>(&mut self, done: Result<T, StoreError>) -> Result<T, SqlError> {
        done.map_err(|problem| {
            self.failure.get_or_insert_with(|| problem.clone());
            self.owner.error(problem)
        })
    }
}

/// For stores and the bookkeeping of projections alone.
impl Transaction<'_> {
    /// Commits the transaction, unless a statement has failed.
    pub(crate) fn commit(mut self) -> Result<(), StoreError> {
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        self.driver.commit(&self.owner.label)
    }

    /// Rolls the transaction back.
    pub(crate) fn roll_back(self) {
        self.driver.roll_back();
    }

    /// Prepares for statements that rename or drop tables.
    pub(crate) fn begin_renames(&mut self) -> Result<(), StoreError> {
        self.driver.begin_renames(&self.owner.label)
    }

    /// Ends what [`begin_renames`](Self::begin_renames) began.
    pub(crate) fn end_renames(&mut self) -> Result<(), StoreError> {
        self.driver.end_renames(&self.owner.label)
    }

    pub(crate) fn names(&self) -> Arc<TableNames> {
        self.names.clone()
    }

    /// Sets the tables that [`table`](Self::table) names from here on.
    pub(crate) fn enter(&mut self, stage: Stage) {
        self.stage = stage;
    }

    /// Returns the names of the tables that were used since the last call.
    pub(crate) fn take_named(&mut self) -> Vec<String> {
        self.named.take()
    }

    /// Creates the error of a database that is configured wrongly.
    pub(crate) fn misconfigured(&self, problem: impl Display) -> StoreError {
        self.owner.label.misconfigured(problem)
    }
}
