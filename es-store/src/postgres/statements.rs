//! Statements of a user's own, on PostgreSQL.

mod value;

use std::error::Error;
use std::sync::Arc;

use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::connection::Statements;
use crate::error::StoreError;
use crate::postgres_client::{Transaction, is_lost, message};
use crate::sql::label::Label;
use crate::sql::transaction::{Access, Driver, Selected, Value};

/// How many statements are kept prepared; beyond that all are prepared anew.
const KEPT: usize = 100;

/// An open transaction, and the statements that its connection keeps prepared.
pub(super) struct PostgresTransaction<'a> {
    tx: Transaction<'a>,
    statements: &'a mut Statements,
    access: Access,
    /// The transaction's number, once the driver's own was handed out.
    #[cfg(feature = "driver")]
    number: Option<String>,
    /// Whether it cannot be committed.
    is_guarded: bool,
}

#[cfg(feature = "driver")]
/// A row that breaks a constraint which is looked at by a commit: so only whoever removes it can commit.
const GUARD: &str = "CREATE TEMPORARY TABLE es_open_transaction (id int PRIMARY KEY, other int CONSTRAINT \
                     only_the_library_ends_the_transaction REFERENCES es_open_transaction DEFERRABLE INITIALLY DEFERRED) \
                     ON COMMIT DROP; INSERT INTO pg_temp.es_open_transaction VALUES (1, 2)";

impl<'a> Driver<'a> for PostgresTransaction<'a> {
    fn execute(&mut self, label: &Label, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let statement = self.prepared(label, sql, params)?;
        let done = self.tx.execute(&statement, &borrowed(params));
        done.map_err(|error| self.failed(label, &error))
    }

    fn query(
        &mut self,
        label: &Label,
        sql: &str,
        params: &[Value],
    ) -> Result<Selected, StoreError> {
        let statement = self.prepared(label, sql, params)?;
        let rows = self.tx.query(&statement, &borrowed(params));
        let rows = rows.map_err(|error| self.failed(label, &error))?;
        let columns: Arc<[String]> = statement
            .columns()
            .iter()
            .map(|column| column.name().to_owned())
            .collect();
        let values = |row: &tokio_postgres::Row| {
            let value = |index| {
                row.try_get::<_, Value>(index).map_err(|error| {
                    let problem = error
                        .source()
                        .map_or_else(|| error.to_string(), ToString::to_string);
                    label.statement(format!("column `{}`: {problem}", columns[index]))
                })
            };
            (0..columns.len()).map(value).collect::<Result<Vec<_>, _>>()
        };
        let rows = rows.iter().map(values).collect::<Result<_, _>>()?;
        Ok(Selected { columns, rows })
    }

    /// Checks the constraints that would wait for the commit.
    fn begin_renames(&mut self, label: &Label) -> Result<(), StoreError> {
        self.unguard(label)?;
        self.execute(label, "SET CONSTRAINTS ALL IMMEDIATE", &[])?;
        Ok(())
    }

    fn end_renames(&mut self, _label: &Label) -> Result<(), StoreError> {
        Ok(())
    }

    fn commit(mut self: Box<Self>, label: &Label) -> Result<(), StoreError> {
        self.unguard(label)?;
        let Self { tx, statements, .. } = *self;
        tx.commit().map_err(|error| {
            statements.clear();
            failed(label, &error)
        })
    }

    #[cfg(feature = "driver")]
    /// Before the driver's own transaction is handed out: keeps it from being committed, and notes its number, to see later
    /// whether it is still the same.
    fn guard(&mut self, label: &Label) -> Result<(), StoreError> {
        if self.access == Access::Read || self.number.is_some() {
            return Ok(());
        }
        let guarded = self.number_now().and_then(|number| {
            self.number = Some(number);
            let allowed = "SELECT has_database_privilege(current_database(), 'TEMP')";
            self.is_guarded = self.tx.query_one(allowed, &[])?.try_get(0)?;
            match self.is_guarded {
                true => self.tx.batch_execute(GUARD),
                false => Ok(()),
            }
        });
        guarded.map_err(|error| self.failed(label, &error))
    }

    #[cfg(feature = "driver")]
    /// A transaction that was ended by a statement has another number, or none; in one that has failed nothing can be asked.
    fn check_open(&mut self, label: &Label) -> Result<(), StoreError> {
        let Some(known) = self.number.clone() else {
            return Ok(());
        };
        match self.number_now() {
            Ok(now) if known == now => Ok(()),
            Ok(_) => Err(label.statement(
                "the transaction was ended by a statement, but only the library ends it",
            )),
            Err(error) => Err(self.failed(label, &error)),
        }
    }

    #[cfg(feature = "driver")]
    fn postgres(&mut self) -> Option<&mut Transaction<'a>> {
        Some(&mut self.tx)
    }
}

impl<'a> PostgresTransaction<'a> {
    pub(super) fn new(tx: Transaction<'a>, statements: &'a mut Statements, access: Access) -> Self {
        Self {
            tx,
            statements,
            access,
            #[cfg(feature = "driver")]
            number: None,
            is_guarded: false,
        }
    }

    fn prepared(
        &mut self,
        label: &Label,
        sql: &str,
        params: &[Value],
    ) -> Result<Statement, StoreError> {
        let statement = match self.statements.get(sql) {
            Some(statement) => statement.clone(),
            None => {
                let prepared = self.tx.prepare(sql);
                let statement = prepared.map_err(|error| self.failed(label, &error))?;
                if self.statements.len() >= KEPT {
                    self.statements.clear();
                }
                self.statements.insert(sql.to_owned(), statement.clone());
                statement
            }
        };
        let (has, given) = (statement.params().len(), params.len());
        if has != given {
            return Err(label.statement(format!(
                "the statement has {has} parameters, and got {given}"
            )));
        }
        Ok(statement)
    }

    /// Lets the transaction be committed.
    fn unguard(&mut self, label: &Label) -> Result<(), StoreError> {
        if !std::mem::take(&mut self.is_guarded) {
            return Ok(());
        }
        let removed = self
            .tx
            .batch_execute("DELETE FROM pg_temp.es_open_transaction");
        removed.map_err(|error| self.failed(label, &error))
    }

    #[cfg(feature = "driver")]
    fn number_now(&mut self) -> Result<String, tokio_postgres::Error> {
        let row = self
            .tx
            .query_one("SELECT pg_current_xact_id()::text", &[])?;
        row.try_get(0)
    }

    /// After a failure nothing that was prepared is relied on.
    fn failed(&mut self, label: &Label, error: &tokio_postgres::Error) -> StoreError {
        self.statements.clear();
        failed(label, error)
    }
}

/// What is no fault of the statement is one of the store.
fn failed(label: &Label, error: &tokio_postgres::Error) -> StoreError {
    // A table was changed behind a statement that was prepared.
    let is_stale = error
        .to_string()
        .contains("cached plan must not change result type");
    if !is_lost(error) && !is_stale && !error.code().is_some_and(is_of_store) {
        return label.statement(message(error));
    }
    StoreError::Driver {
        store: label.store(),
        doing: "a statement",
        error: Arc::from(Box::<dyn Error + Send + Sync>::from(message(error))),
    }
}

/// Deadlocks and serialisation failures (class 40), a lack of resources (53), the system's own errors (58), a lock that was not
/// had in time, a server that can only be read for now.
fn is_of_store(code: &SqlState) -> bool {
    let single = [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::READ_ONLY_SQL_TRANSACTION,
    ];
    let classes = ["40", "53", "58", "57P"];
    // A deferred constraint that the commit finds broken is of class 40 too.
    *code != SqlState::T_R_INTEGRITY_CONSTRAINT_VIOLATION
        && (single.contains(code) || classes.iter().any(|class| code.code().starts_with(class)))
}

fn borrowed(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params
        .iter()
        .map(|param| param as &(dyn ToSql + Sync))
        .collect()
}
