//! Statements of users on PostgreSQL.

mod value;

use std::error::Error as _;
use std::sync::Arc;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Error, SimpleQueryMessage, Statement};

use super::codes::{self, Message};
use super::connection::{KEPT, Statements, borrowed};
use super::options::short_lock_timeout;
use super::session::RELEASE;
use crate::error::StoreError;
use crate::postgres_client::Transaction;
use crate::sql::label::Label;
use crate::sql::transaction::{Access, Driver, Selected, Value};
use crate::sync::Flag;

/// An open transaction, with the prepared statements of its connection.
pub(super) struct PostgresTransaction<'a> {
    tx: Transaction<'a>,
    statements: &'a mut Statements,
    /// The statements that return to the settings of the session.
    restore: &'static str,
    /// Set to true if the connection cannot be used by anyone else.
    is_spoilt: &'a mut bool,
    /// True if the user's code can reach the client.
    is_handed_out: bool,
    #[cfg(feature = "driver")]
    access: Access,
    /// The transaction's number, once the driver's own transaction was handed out.
    #[cfg(feature = "driver")]
    number: Option<String>,
    /// True if the current statement was prepared in an earlier transaction.
    is_kept: bool,
    /// True while the row of `GUARD` prevents a commit.
    is_guarded: bool,
    /// True if tables are renamed or dropped.
    is_renaming: bool,
}

/// The statements that create a row which violates a deferred constraint. Only the library, which
/// removes the row, can commit the transaction.
///
/// Without it, a `COMMIT` that a user sends through the driver's own transaction would commit half
/// of a handler's work without moving the position. PostgreSQL has no hook to refuse it, and a
/// check afterwards is too late.
#[cfg(feature = "driver")]
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

    /// Checks the deferred constraints now, and sets a short limit for locks. A statement that
    /// waits for readers of a table stands in front of all later ones.
    fn begin_renames(&mut self, label: &Label) -> Result<(), StoreError> {
        self.unguard(label)?;
        self.execute(label, "SET CONSTRAINTS ALL IMMEDIATE", &[])?;
        let limit = short_lock_timeout(label.lock_timeout()).as_millis();
        self.execute(label, &format!("SET LOCAL lock_timeout = {limit}"), &[])?;
        self.is_renaming = true;
        Ok(())
    }

    fn end_renames(&mut self, _label: &Label) -> Result<(), StoreError> {
        Ok(())
    }

    /// The user's code can reach the client, so that is what shows them.
    fn show_statements(&mut self, in_statement: Flag) {
        self.tx.client().show_requests(in_statement);
    }

    fn commit(mut self: Box<Self>, label: &Label) -> Result<(), StoreError> {
        self.unguard(label)?;
        let Self {
            tx,
            statements,
            restore,
            is_spoilt,
            ..
        } = *self;
        end(tx, "COMMIT", restore, is_spoilt).map_err(|error| {
            statements.clear();
            codes::statement_failure(label, &error)
        })
    }

    /// Rolls the transaction back, which undoes most of what its statements did to the session. If
    /// the user's code had the driver's own transaction, it may have ended it before.
    fn roll_back(self: Box<Self>) {
        let Self {
            tx,
            restore,
            is_spoilt,
            is_handed_out,
            ..
        } = *self;
        let restore = if is_handed_out { restore } else { "" };
        if end(tx, "ROLLBACK", restore, is_spoilt).is_err() {
            // The server rolls back when the connection ends.
            *is_spoilt = true;
        }
    }

    /// Prevents commits before the driver's own transaction is handed out, and records its number
    /// for [`check_open`](Driver::check_open).
    #[cfg(feature = "driver")]
    fn guard(&mut self, label: &Label) -> Result<(), StoreError> {
        if self.access == Access::Read || self.number.is_some() {
            return Ok(());
        }
        let guarded = self.number_now().and_then(|number| {
            self.number = Some(number);
            let allowed = "SELECT has_database_privilege(current_database(), 'TEMP')";
            self.is_guarded = self.tx.query_one(allowed, &[])?.try_get(0)?;
            if self.is_guarded {
                self.tx.batch_execute(GUARD)?;
            }
            Ok(())
        });
        guarded.map_err(|error| self.failed(label, &error))
    }

    /// Returns an error if a statement ended the transaction, which then has another number or
    /// none. In a failed transaction the number cannot be queried.
    #[cfg(feature = "driver")]
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
        self.is_handed_out = true;
        Some(&mut self.tx)
    }
}

impl<'a> PostgresTransaction<'a> {
    pub(super) fn new(
        tx: Transaction<'a>,
        statements: &'a mut Statements,
        restore: &'static str,
        is_spoilt: &'a mut bool,
        #[cfg_attr(
            not(feature = "driver"),
            expect(unused_variables, reason = "only guards need it")
        )]
        access: Access,
    ) -> Self {
        Self {
            tx,
            statements,
            restore,
            is_spoilt,
            is_handed_out: false,
            #[cfg(feature = "driver")]
            access,
            #[cfg(feature = "driver")]
            number: None,
            is_kept: false,
            is_guarded: false,
            is_renaming: false,
        }
    }

    fn prepared(
        &mut self,
        label: &Label,
        sql: &str,
        params: &[Value],
    ) -> Result<Statement, StoreError> {
        let kept = self.statements.get(sql);
        self.is_kept = kept.is_some();
        let statement = match kept {
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

    /// Removes the row that prevents a commit.
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
    fn number_now(&mut self) -> Result<String, Error> {
        let row = self
            .tx
            .query_one("SELECT pg_current_xact_id()::text", &[])?;
        row.try_get(0)
    }

    /// Returns the error of a statement and discards all prepared ones. A statement that was
    /// prepared earlier may fail because a table was changed since; the next transaction prepares
    /// it again.
    fn failed(&mut self, label: &Label, error: &Error) -> StoreError {
        self.statements.clear();
        if self.is_renaming && error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) {
            return label.locked("another session, which uses the tables");
        }
        if self.is_kept && codes::is_outdated(error) {
            return label.driver("a statement", Message::of(error));
        }
        codes::statement_failure(label, error)
    }
}

/// Ends the transaction by the statement `by`, and then executes `restore`. The same request
/// removes the locks and values that others would find on the connection.
fn end(tx: Transaction<'_>, by: &str, restore: &str, is_spoilt: &mut bool) -> Result<(), Error> {
    let answers = tx.end_and(by, &format!("{restore} {RELEASE}"))?;
    *is_spoilt |= !is_released(answers);
    Ok(())
}

/// Returns true if the last row, which is that of `RELEASE`, lets others use the connection.
fn is_released(answers: Result<Vec<SimpleQueryMessage>, Error>) -> bool {
    let answers = answers.unwrap_or_else(|error| {
        let error = es_core::error_chain(&error);
        tracing::debug!(%error, "the settings of a session were not restored, so it ends");
        Vec::new()
    });
    let rows = answers.iter().filter_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.last().is_some_and(|row| row.get(0) == Some("f"))
}
