//! The statements that record and read the operations on a follower, for every SQL database.

use super::damaged::DamagedAt;
use super::names::AsideNames;
use super::transaction::{Executor, Value};
use super::values::{ValueRow, number, shown, text, time};
use crate::operation::{Operation, OperationKind};

/// Records operations in their order.
///
/// Concurrency: the row of the format of the tables is locked first, in front of which each program
/// waits for the others. So a later operation has a higher number, and becomes visible later.
pub(crate) fn record<E: Executor>(
    executor: &mut E,
    names: &AsideNames,
    operations: &[Operation],
) -> Result<(), E::Error> {
    if operations.is_empty() {
        return Ok(());
    }
    let AsideNames {
        operations: table,
        meta,
        ..
    } = names;
    let lock = format!("UPDATE {meta} SET value = value WHERE key = 'format'");
    executor.execute(&lock, &[])?;
    let insert = format!(
        "INSERT INTO {table} (id, kind, upstream, position, happened_at, who, detail) \
         SELECT coalesce((SELECT max(o.id) FROM {table} AS o), 0) + 1, CAST($1 AS text), CAST($2 AS text), \
         CAST($3 AS bigint), CAST($4 AS bigint), CAST($5 AS text), CAST($6 AS text)"
    );
    for operation in operations {
        executor.execute(&insert, &columns(operation))?;
    }
    Ok(())
}

/// Returns true if an operation is recorded.
pub(super) fn has<E: Executor>(
    executor: &mut E,
    names: &AsideNames,
    operation: &Operation,
) -> Result<bool, E::Error> {
    let mut params = Vec::from(columns(operation));
    let position = if params[2] == Value::Null {
        params.remove(2);
        "position IS NULL AND happened_at = $3 AND who = $4 AND detail = $5"
    } else {
        "position = $3 AND happened_at = $4 AND who = $5 AND detail = $6"
    };
    let sql = format!(
        "SELECT 1 FROM {} WHERE kind = $1 AND upstream = $2 AND {position} LIMIT 1",
        names.operations
    );
    Ok(!executor.select(&sql, &params)?.is_empty())
}

/// Returns the columns of a row but its number.
fn columns(operation: &Operation) -> [Value; 6] {
    [
        text(operation.kind.text()),
        text(&operation.upstream),
        operation.position.map_or(Value::Null, number),
        time(operation.when),
        shown(&operation.who),
        shown(&operation.detail),
    ]
}

/// Returns the statement that reads the last operations. Its parameter is their maximal number.
pub(crate) fn select(operations: &str) -> String {
    format!(
        "SELECT id, kind, upstream, position, happened_at, who, detail FROM {operations} ORDER BY id DESC LIMIT $1"
    )
}

/// Reads a row. Returns `None` if this program does not know the kind of operation.
pub(crate) fn row(columns: &[Value]) -> Result<Option<Operation>, DamagedAt> {
    let row = ValueRow(columns);
    let id: Result<u64, String> = row.get(0, "id");
    read(&row).map_err(|problem| DamagedAt {
        at: match id {
            Ok(id) => format!("of operation {id}"),
            Err(_) => "of an operation".to_owned(),
        },
        problem,
    })
}

fn read(row: &ValueRow<'_>) -> Result<Option<Operation>, String> {
    let kind: String = row.get(1, "kind")?;
    let Some(kind) = OperationKind::from_text(&kind) else {
        return Ok(None);
    };
    Ok(Some(Operation {
        id: row.get(0, "id")?,
        kind,
        upstream: row.get(2, "upstream")?,
        position: row.get(3, "position")?,
        when: row
            .time(4, "happened_at")?
            .ok_or("its happened_at is null")?,
        who: row.get(5, "who")?,
        detail: row.get(6, "detail")?,
    }))
}
