//! Statements on SQLite.

use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, Statement, ToSql};

use super::{Label, Value};
use crate::StoreError;

/// The names of columns, and the values of rows.
pub(super) type Found = (Arc<[String]>, Vec<Vec<Value>>);

pub(super) fn execute(
    connection: &Connection,
    label: &Label,
    sql: &str,
    params: &[Value],
) -> Result<u64, StoreError> {
    let failed = |error| failed(label, error);
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    bind(&mut statement, label, params)?;
    let changed = statement.raw_execute().map_err(failed)?;
    Ok(changed as u64)
}

pub(super) fn query(
    connection: &Connection,
    label: &Label,
    sql: &str,
    params: &[Value],
) -> Result<Found, StoreError> {
    let failed = |error| failed(label, error);
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    bind(&mut statement, label, params)?;
    let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
    let (mut rows, mut found) = (statement.raw_query(), Vec::new());
    while let Some(row) = rows.next().map_err(failed)? {
        let values = columns.iter().enumerate().map(|(index, column)| {
            let value = row.get_ref(index).map_err(failed)?;
            read(value)
                .ok_or_else(|| label.statement(format!("column `{column}` is no text in UTF-8")))
        });
        found.push(values.collect::<Result<_, StoreError>>()?);
    }
    Ok((columns, found))
}

/// To SQLite `$1` is a name, which stands where it first does in the statement.
fn bind(statement: &mut Statement<'_>, label: &Label, params: &[Value]) -> Result<(), StoreError> {
    let failed = |error| failed(label, error);
    let (has, given) = (statement.parameter_count(), params.len());
    if has != given {
        return Err(label.statement(format!(
            "the statement has {has} parameters, and got {given}"
        )));
    }
    for (index, param) in params.iter().enumerate() {
        let name = format!("${}", index + 1);
        let place = statement.parameter_index(&name).map_err(failed)?;
        let place = place
            .ok_or_else(|| label.statement(format!("the statement has no parameter `{name}`")))?;
        statement.raw_bind_parameter(place, param).map_err(failed)?;
    }
    Ok(())
}

pub(super) fn commit(tx: rusqlite::Transaction<'_>, label: &Label) -> Result<(), StoreError> {
    tx.commit()
        .map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::SystemIoFailure) => StoreError::OutcomeUnknown {
                store: label.store.clone(),
                problem: error.to_string(),
            },
            _ => failed(label, error),
        })
}

/// SQLite itself rolls back after some errors. Nobody else can end the transaction.
pub(super) fn check_open(connection: &Connection, label: &Label) -> Result<(), StoreError> {
    match connection.is_autocommit() {
        false => Ok(()),
        true => Err(label.statement("the transaction has ended".to_owned())),
    }
}

/// What is no fault of the statement is one of the store.
fn failed(label: &Label, error: rusqlite::Error) -> StoreError {
    let of_store = [
        ErrorCode::DatabaseBusy,
        ErrorCode::DatabaseLocked,
        ErrorCode::DiskFull,
        ErrorCode::SystemIoFailure,
        ErrorCode::DatabaseCorrupt,
        ErrorCode::NotADatabase,
        ErrorCode::OutOfMemory,
        ErrorCode::CannotOpen,
        ErrorCode::FileLockingProtocolFailed,
    ];
    match error.sqlite_error_code() {
        Some(code) if of_store.contains(&code) => StoreError::Driver {
            store: label.store.clone(),
            doing: "a statement",
            error: Arc::new(error),
        },
        _ => label.statement(said(&error)),
    }
}

/// What SQLite says, without the text of the statement that rusqlite may add.
fn said(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        error => error.to_string(),
    }
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
