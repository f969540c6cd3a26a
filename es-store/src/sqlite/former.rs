//! The table `es_failures` as earlier releases have created it. None of them has used it.

use rusqlite::Connection;

use super::tables::{FAILURES, TABLES, Table};

/// The reason why a table with rows is not replaced.
pub(super) const FORMER_ROWS: &str = "the table `es_failures` is that of an earlier release, which has never written to it, but it has rows";

/// A table of failures in its former layout.
pub(super) struct FormerFailures {
    pub(super) is_empty: bool,
}

impl FormerFailures {
    /// Looks at the table, which exists. Returns `None` if it has today's layout.
    pub(super) fn look(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let columns =
            "SELECT count(*) FROM pragma_table_info(?1) WHERE name IN ('upstream', 'sequence')";
        let columns: i64 = connection.query_row(columns, [FAILURES], |row| row.get(0))?;
        if columns == 2 {
            return Ok(None);
        }
        let is_empty = "SELECT NOT EXISTS (SELECT 1 FROM es_failures)";
        let is_empty = connection.query_row(is_empty, [], |row| row.get(0))?;
        Ok(Some(Self { is_empty }))
    }

    /// Returns the statements that put today's table in its place.
    pub(super) fn replace() -> impl Iterator<Item = &'static str> {
        let table = TABLES.iter().filter(|table| table.name == FAILURES);
        ["DROP TABLE es_failures"]
            .into_iter()
            .chain(table.flat_map(Table::statements))
    }
}
