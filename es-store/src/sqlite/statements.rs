//! Statements of a user's own, on SQLite.

use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement, ToSql};

use super::codes;
use crate::error::StoreError;
use crate::sql::label::Label;
use crate::sql::names::quoted;
use crate::sql::transaction::{Driver, Selected, Value};
use crate::sync::Flag;

/// An open transaction of SQLite.
pub(super) struct SqliteTransaction<'a> {
    tx: rusqlite::Transaction<'a>,
    /// The flag that is raised while a statement runs.
    in_statement: Flag,
}

impl<'a> SqliteTransaction<'a> {
    pub(super) fn new(tx: rusqlite::Transaction<'a>) -> Self {
        Self {
            tx,
            in_statement: Flag::default(),
        }
    }
}

impl<'a> Driver<'a> for SqliteTransaction<'a> {
    fn execute(&mut self, label: &Label, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let _raised = self.in_statement.raise();
        let failed = |error| codes::statement_failed(label, error);
        let mut statement = self.tx.prepare_cached(sql).map_err(failed)?;
        bind(&mut statement, label, params)?;
        let changed = statement.raw_execute().map_err(failed)?;
        Ok(changed as u64)
    }

    fn query(
        &mut self,
        label: &Label,
        sql: &str,
        params: &[Value],
    ) -> Result<Selected, StoreError> {
        let _raised = self.in_statement.raise();
        let failed = |error| codes::statement_failed(label, error);
        select(&self.tx, label, sql, params, failed)
    }

    /// Prepares for renames, during which a view may name a table that is missing.
    fn begin_renames(&mut self, label: &Label) -> Result<(), StoreError> {
        self.execute(label, "PRAGMA legacy_alter_table = ON", &[])?;
        Ok(())
    }

    fn end_renames(&mut self, label: &Label) -> Result<(), StoreError> {
        self.execute(label, "PRAGMA legacy_alter_table = OFF", &[])?;
        Ok(())
    }

    fn show_statements(&mut self, in_statement: Flag) {
        self.in_statement = in_statement;
    }

    fn commit(self: Box<Self>, label: &Label) -> Result<(), StoreError> {
        drop_temporary(&self.tx).map_err(|error| codes::statement_failed(label, error))?;
        let committed = self.tx.commit();
        committed.map_err(|error| {
            if codes::is_lost_write(&error) {
                label.outcome_unknown(error)
            } else {
                codes::statement_failed(label, error)
            }
        })
    }

    fn roll_back(self: Box<Self>) {
        drop(self);
    }

    /// Fails if the transaction has ended. SQLite itself rolls back after some errors. Nobody else
    /// can end the transaction.
    #[cfg(feature = "driver")]
    fn check_open(&mut self, label: &Label) -> Result<(), StoreError> {
        if self.tx.is_autocommit() {
            return Err(label.statement("the transaction has ended"));
        }
        Ok(())
    }

    #[cfg(feature = "driver")]
    fn sqlite(&self) -> Option<&Connection> {
        Some(&self.tx)
    }
}

/// Drops the temporary tables, views and triggers. They belong to the connection, by which the
/// library writes: a temporary table stands in front of one of the library's that has its name.
fn drop_temporary(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "SELECT type, name FROM temp.sqlite_master \
               WHERE type IN ('table', 'view', 'trigger') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
               ORDER BY type DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let drops = statement.query_map([], |row| {
        let (kind, name): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(format!("DROP {kind} IF EXISTS temp.{}", quoted(&name)))
    })?;
    let drops: Vec<String> = drops.collect::<Result<_, _>>()?;
    drops
        .iter()
        .try_for_each(|sql| connection.execute_batch(sql))
}

pub(super) fn select(
    connection: &Connection,
    label: &Label,
    sql: &str,
    params: &[Value],
    failed: impl Fn(rusqlite::Error) -> StoreError,
) -> Result<Selected, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(&failed)?;
    bind(&mut statement, label, params)?;
    let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
    let mut found = statement.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(&failed)? {
        let values = columns.iter().enumerate().map(|(index, column)| {
            let value = row.get_ref(index).map_err(&failed)?;
            read(value)
                .ok_or_else(|| label.statement(format!("column `{column}` is not text in UTF-8")))
        });
        rows.push(values.collect::<Result<_, StoreError>>()?);
    }
    Ok(Selected { columns, rows })
}

/// Binds the parameters. To SQLite `$1` is a name, and its index is that of its first use in the
/// statement.
pub(super) fn bind(
    statement: &mut Statement<'_>,
    label: &Label,
    params: &[Value],
) -> Result<(), StoreError> {
    let failed = |error| codes::statement_failed(label, error);
    let has = statement.parameter_count();
    if has != params.len() {
        let given = params.len();
        return Err(label.statement(format!(
            "the statement has {has} parameters, and got {given}"
        )));
    }
    for (index, param) in params.iter().enumerate() {
        let name = format!("${}", index + 1);
        let place = statement.parameter_index(&name).map_err(failed)?;
        let place = place
            .ok_or_else(|| label.statement(format!("the statement has no parameter `{name}`")))?;
        if matches!(param, Value::Real(value) if value.is_nan()) {
            return Err(label.statement(format!(
                "parameter `{name}` is a number that is NaN, which SQLite would store as NULL"
            )));
        }
        statement.raw_bind_parameter(place, param).map_err(failed)?;
    }
    Ok(())
}

fn read(value: ValueRef<'_>) -> Option<Value> {
    Some(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Real(value) => Value::Real(value),
        ValueRef::Text(value) => Value::Text(str::from_utf8(value).ok()?.to_owned()),
        ValueRef::Blob(value) => Value::Bytes(value.to_vec()),
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Boolean(value) => i64::from(*value).into(),
            Self::Integer(value) => (*value).into(),
            Self::Real(value) => (*value).into(),
            Self::Text(value) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            Self::Bytes(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
            Self::Uuid(value) => value.to_string().into(),
            Self::Timestamp(value) => value.to_string().into(),
        })
    }
}
