//! The open transaction of a database, for statements of the user's own.

mod error;
mod names;
mod postgres;
mod row;
mod sqlite;
mod value;
mod word;

use std::cell::RefCell;
use std::sync::Arc;

pub(crate) use self::error::Label;
pub use self::error::SqlError;
pub(crate) use self::names::{Stage, TableNames, quoted};
use self::postgres::Postgres;
pub use self::row::{Column, Row};
pub use self::value::{FromValue, ToValue, Value};
use self::word::ends_or_begins;
use crate::postgres::driver;
use crate::{Access, StoreError};

/// An open transaction of SQLite or PostgreSQL.
///
/// A handler of a projection gets the one that moves its position, too: what it writes takes place with that, or not at
/// all. One text of a statement serves both databases: parameters are `$1`, `$2` and so on, values are of the types that
/// [`Value`] lists. For all else there is the driver's own transaction, [`sqlite`](Self::sqlite) or
/// [`postgres`](Self::postgres).
///
/// It is begun and ended by the library: `BEGIN`, `COMMIT` and `ROLLBACK` are refused. After a statement has failed it takes
/// no others, and everything is rolled back, also where the error was passed over.
pub struct Transaction<'a> {
    driver: Driver<'a>,
    label: Arc<Label>,
    names: Arc<TableNames>,
    stage: Stage,
    /// The first failure.
    failure: Option<StoreError>,
    /// Whether the driver's own transaction was handed out since somebody last looked.
    is_handed_out: bool,
    /// The tables that were named while they are made. In a cell, so that a table can be named within a call of `execute`.
    named: RefCell<Vec<String>>,
}

enum Driver<'a> {
    Sqlite(rusqlite::Transaction<'a>),
    Postgres(Postgres<'a>),
}

impl<'a> Transaction<'a> {
    fn new(driver: Driver<'a>, label: Arc<Label>, names: Arc<TableNames>) -> Self {
        Self {
            driver,
            label,
            names,
            stage: Stage::Live,
            failure: None,
            is_handed_out: false,
            named: RefCell::default(),
        }
    }

    /// Executes a statement; says how many rows it has changed.
    ///
    /// ```
    /// use es_store::{SqlError, Transaction};
    ///
    /// fn count(tx: &mut Transaction<'_>, trick: &str) -> Result<(), SqlError> {
    ///     let counts = tx.table("trick_counts");
    ///     let sql = format!(
    ///         "INSERT INTO {counts} AS t (trick, count) VALUES ($1, 1) ON CONFLICT (trick) DO UPDATE SET count = t.count + 1"
    ///     );
    ///     tx.execute(&sql, &[&trick])?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// When the statement is wrong or the store fails, the parameters are not as many as the statement has, or an earlier
    /// statement has failed.
    pub fn execute(&mut self, sql: &str, params: &[&dyn ToValue]) -> Result<u64, SqlError> {
        let params = self.begin_statement(sql, params)?;
        let done = match &mut self.driver {
            Driver::Sqlite(tx) => sqlite::execute(tx, &self.label, sql, &params),
            Driver::Postgres(tx) => tx.execute(&self.label, sql, &params),
        };
        self.end_statement(done)
    }

    /// The rows that a query finds.
    ///
    /// ```
    /// use es_store::{SqlError, Transaction};
    ///
    /// fn counts(tx: &mut Transaction<'_>) -> Result<Vec<(String, i64)>, SqlError> {
    ///     let sql = format!("SELECT trick, count FROM {} ORDER BY trick", tx.table("trick_counts"));
    ///     let rows = tx.query(&sql, &[])?;
    ///     rows.iter().map(|row| Ok((row.get("trick")?, row.get("count")?))).collect()
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`execute`](Self::execute), and when a column is of a type that [`Value`] has not: cast it, as in
    /// `CAST(SUM(count) AS BIGINT)`.
    pub fn query(&mut self, sql: &str, params: &[&dyn ToValue]) -> Result<Vec<Row>, SqlError> {
        let params = self.begin_statement(sql, params)?;
        let label = &self.label;
        let found = match &mut self.driver {
            Driver::Sqlite(tx) => sqlite::query(tx, label, sql, &params),
            Driver::Postgres(tx) => tx.query(label, sql, &params),
        };
        let (columns, rows) = self.end_statement(found)?;
        let row = |values| Row {
            label: self.label.clone(),
            columns: columns.clone(),
            values,
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// The first row that a query finds; `None` if it finds none.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn query_first(
        &mut self,
        sql: &str,
        params: &[&dyn ToValue],
    ) -> Result<Option<Row>, SqlError> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// How the table `name` is called in statements, quoted: the one that is queried, or, in a rebuild, the one that is
    /// made beside it.
    pub fn table(&self, name: &str) -> String {
        let mut named = self.named.borrow_mut();
        if !named.iter().any(|named| named == name) {
            named.push(name.to_owned());
        }
        self.names.path(&self.stage.physical(name))
    }

    /// How the index `name` of a table is called where tables are made: `CREATE INDEX {index} ON {table} (..)`. It is
    /// another one after each rebuild, as the old index is still there while the new one is made.
    pub fn index(&self, name: &str) -> String {
        quoted(&self.stage.physical(name))
    }

    /// Whether a rebuild is under way, of tables that nobody queries yet.
    pub fn is_rebuild(&self) -> bool {
        matches!(self.stage, Stage::Rebuild(_))
    }

    /// SQLite's own connection ([`rusqlite`](crate::rusqlite)), in its open transaction; `None` on another database.
    pub fn sqlite(&mut self) -> Option<&rusqlite::Connection> {
        self.is_handed_out = true;
        match &self.driver {
            Driver::Sqlite(tx) => Some(tx),
            Driver::Postgres(_) => None,
        }
    }

    /// PostgreSQL's own open transaction (see [`driver`](crate::postgres::driver)); `None` on another database.
    ///
    /// A `COMMIT` sent through it fails, and so does the handler, as it does after a `ROLLBACK`. Only what it writes after
    /// that, outside of any transaction, stays. (A role without the privilege `TEMP` can commit; it is noticed, too late.)
    pub fn postgres(&mut self) -> Option<&mut driver::Transaction<'a>> {
        self.is_handed_out = true;
        match &mut self.driver {
            Driver::Sqlite(_) => None,
            Driver::Postgres(tx) => {
                if let Err(failure) = tx.guard(&self.label) {
                    self.failure.get_or_insert(failure);
                }
                Some(tx.own())
            }
        }
    }

    /// Why the transaction cannot be committed, if it cannot: a statement has failed, or somebody has ended it. To be asked
    /// after each piece of a user's code.
    pub fn failure(&mut self) -> Option<StoreError> {
        if std::mem::take(&mut self.is_handed_out) && self.failure.is_none() {
            self.failure = match &mut self.driver {
                Driver::Sqlite(tx) => sqlite::check_open(tx, &self.label).err(),
                Driver::Postgres(tx) => tx.check_open(&self.label).err(),
            };
        }
        self.failure.clone()
    }

    fn begin_statement(&self, sql: &str, params: &[&dyn ToValue]) -> Result<Vec<Value>, SqlError> {
        if self.failure.is_some() {
            let problem = "a statement before it has failed, so everything is rolled back";
            return Err(self.label.refused(problem.to_owned()));
        }
        if let Some(word) = ends_or_begins(sql) {
            let problem =
                format!("`{word}` is refused: the library begins and ends the transaction");
            return Err(self.label.refused(problem));
        }
        let too_large = || {
            let problem = format!("a parameter is a number above {}", i64::MAX);
            self.label.refused(problem)
        };
        let values = params
            .iter()
            .map(|param| param.to_value().ok_or_else(too_large));
        values.collect()
    }

    fn end_statement<T>(&mut self, done: Result<T, StoreError>) -> Result<T, SqlError> {
        done.map_err(|problem| {
            self.failure.get_or_insert_with(|| problem.clone());
            self.label.error(problem)
        })
    }
}

/// What only stores and the bookkeeping of projections do.
impl<'a> Transaction<'a> {
    pub(crate) fn on_sqlite(
        tx: rusqlite::Transaction<'a>,
        label: Arc<Label>,
        names: Arc<TableNames>,
    ) -> Self {
        Self::new(Driver::Sqlite(tx), label, names)
    }

    pub(crate) fn on_postgres(
        tx: driver::Transaction<'a>,
        statements: &'a mut crate::postgres::Statements,
        access: Access,
        label: Arc<Label>,
        names: Arc<TableNames>,
    ) -> Self {
        Self::new(
            Driver::Postgres(Postgres::new(tx, statements, access)),
            label,
            names,
        )
    }

    pub(crate) fn commit(mut self) -> Result<(), StoreError> {
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        match self.driver {
            Driver::Sqlite(tx) => sqlite::commit(tx, &self.label),
            Driver::Postgres(tx) => tx.commit(&self.label),
        }
    }

    /// Before tables are renamed. In PostgreSQL, constraints that wait for the commit are checked; in SQLite, a view may name a
    /// table that is not there for a moment.
    pub(crate) fn begin_renames(&mut self) -> Result<(), StoreError> {
        let sql = match &mut self.driver {
            Driver::Sqlite(_) => "PRAGMA legacy_alter_table = ON",
            Driver::Postgres(tx) => {
                tx.unguard(&self.label)?;
                "SET CONSTRAINTS ALL IMMEDIATE"
            }
        };
        self.execute(sql, &[])
            .map(|_| ())
            .map_err(|error| error.problem)
    }

    /// After tables were renamed.
    pub(crate) fn end_renames(&mut self) -> Result<(), StoreError> {
        if matches!(self.driver, Driver::Postgres(_)) {
            return Ok(());
        }
        let ended = self.execute("PRAGMA legacy_alter_table = OFF", &[]);
        ended.map(|_| ()).map_err(|error| error.problem)
    }

    pub(crate) fn names(&self) -> Arc<TableNames> {
        self.names.clone()
    }

    pub(crate) fn enter(&mut self, stage: Stage) {
        self.stage = stage;
    }

    /// The tables that were named since this was last asked.
    pub(crate) fn take_named(&mut self) -> Vec<String> {
        self.named.take()
    }

    /// The error of something that was found wrong.
    pub(crate) fn misconfigured(&self, problem: impl std::fmt::Display) -> StoreError {
        StoreError::Configuration(format!("{}: {problem}", self.label.store))
    }
}
