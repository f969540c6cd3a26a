//! The entries of a projection in the table of settings.

use crate::error::StoreError;
use crate::sql::transaction::{SqlError, Transaction};

/// The key of an entry.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    /// The tables that are queried, one a line.
    Tables,
    /// The number of rebuilds that were begun.
    Rebuilds,
    /// The tables that are being rebuilt, one a line.
    Rebuilding,
    /// The number of the rebuild whose tables are queried.
    Rebuilt,
}

impl Key {
    fn text(self) -> &'static str {
        match self {
            Self::Tables => "projection_tables",
            Self::Rebuilds => "projection_rebuilds",
            Self::Rebuilding => "projection_rebuilding",
            Self::Rebuilt => "projection_rebuilt",
        }
    }
}

pub(super) fn get(tx: &mut Transaction<'_>, key: Key) -> Result<Option<String>, StoreError> {
    let sql = format!("SELECT value FROM {} WHERE key = $1", tx.names().meta);
    let row = tx.query_first(&sql, &[&key.text()]).map_err(problem)?;
    row.map(|row| row.get(0)).transpose().map_err(problem)
}

/// Returns the number of an entry, or 0 if there is none.
pub(super) fn number(tx: &mut Transaction<'_>, key: Key) -> Result<u64, StoreError> {
    let value = get(tx, key)?;
    Ok(value.and_then(|value| value.parse().ok()).unwrap_or(0))
}

/// Inserts an entry, unless there is one. Returns true if it was inserted.
pub(super) fn insert(tx: &mut Transaction<'_>, key: Key, value: &str) -> Result<bool, StoreError> {
    let meta = &tx.names().meta;
    let sql = format!("INSERT INTO {meta} (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING");
    let inserted = tx.execute(&sql, &[&key.text(), &value]);
    Ok(inserted.map_err(problem)? == 1)
}

pub(super) fn put(tx: &mut Transaction<'_>, key: Key, value: &str) -> Result<(), StoreError> {
    let meta = &tx.names().meta;
    let sql = format!(
        "INSERT INTO {meta} (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    );
    tx.execute(&sql, &[&key.text(), &value]).map_err(problem)?;
    Ok(())
}

pub(super) fn remove(tx: &mut Transaction<'_>, key: Key) -> Result<(), StoreError> {
    let sql = format!("DELETE FROM {} WHERE key = $1", tx.names().meta);
    tx.execute(&sql, &[&key.text()]).map_err(problem)?;
    Ok(())
}

/// Returns the names in a list.
pub(super) fn lines(list: &str) -> impl DoubleEndedIterator<Item = &str> {
    list.lines().filter(|line| !line.is_empty())
}

/// Returns the error of one of the library's own statements. It is right for the tables that the
/// library creates, so the tables are others, or a privilege is missing.
pub(super) fn problem(error: SqlError) -> StoreError {
    match error.problem {
        StoreError::Statement { store, problem } => StoreError::Configuration(format!(
            "{store}: reading or writing the position of the projection failed: {problem}"
        )),
        problem => problem,
    }
}
