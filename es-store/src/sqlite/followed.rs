//! Reads the record of a follower about one of its upstreams.

use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::columns::text;
use super::executor::SqliteExecutor;
use super::rows::Reader;
use crate::error::StoreError;
use crate::followed::Followed;
use crate::operation::Operation;
use crate::set_aside::{SetAside, SetAsideQuery};
use crate::sql::damaged::DamagedAt;
use crate::sql::followed::{Columns, FollowedRows, statement, waiting};
use crate::sql::limits::row_limit;
use crate::sql::names::AsideNames;
use crate::sql::transaction::{Executor, Value};
use crate::sql::{operations, set_aside};
use crate::tracking::replay_row;

impl Columns for Row<'_> {
    fn integer(&self, index: usize) -> Result<Option<i64>, String> {
        match column(self, index)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(value) => Ok(Some(value)),
            other => Err(wrong(self, index, other)),
        }
    }

    fn text(&self, index: usize) -> Result<Option<&str>, String> {
        match column(self, index)? {
            ValueRef::Null => Ok(None),
            other => match text(other) {
                Some(text) => Ok(Some(text)),
                None => Err(wrong(self, index, other)),
            },
        }
    }
}

fn column<'r>(row: &'r Row<'_>, index: usize) -> Result<ValueRef<'r>, String> {
    row.get_ref(index).map_err(|error| error.to_string())
}

fn wrong(row: &Row<'_>, index: usize, found: ValueRef<'_>) -> String {
    let name = row.as_ref().column_name(index).unwrap_or_default();
    format!("its {name} is of type {}", found.data_type())
}

/// Returns the query that counts the events of each sequence. Beside a `min`, SQLite takes a column
/// that is not in the group from the row with the lowest value.
fn sequences(failures: &str, condition: &str) -> String {
    format!(
        "SELECT count(*) AS n, due, min(position) FROM {failures} WHERE {condition} GROUP BY sequence"
    )
}

impl Reader<'_> {
    /// Returns everything that is recorded about following `upstream`.
    pub(super) fn followed(
        &self,
        upstream: &str,
        aside: Option<&AsideNames>,
    ) -> Result<Followed, StoreError> {
        let sql = statement("tracking", "es_upstream", "es_policies", aside);
        let mut rows = FollowedRows::of(upstream);
        let params = [upstream, &replay_row(upstream)];
        self.collect_until("reading the position", &sql, params, |row| {
            let added = rows.add(row);
            Ok((added.map_err(|one| self.damaged(one))?, false))
        })?;
        if let Some(names) = aside.filter(|_| rows.has_waiting()) {
            let sql = waiting(names, sequences);
            self.collect_until("counting what is set aside", &sql, [upstream], |row| {
                let counted = rows.count(row);
                Ok((counted.map_err(|one| self.damaged(one))?, false))
            })?;
        }
        Ok(rows.finish())
    }

    /// Returns events that are set aside.
    pub(super) fn set_aside(
        &self,
        names: &AsideNames,
        query: &SetAsideQuery,
    ) -> Result<Vec<SetAside>, StoreError> {
        let (sql, params) = set_aside::select(names, query)?;
        let rows = self
            .executor("reading what is set aside")
            .select(&sql, &params)?;
        let row = |row: &Vec<Value>| set_aside::row(row).map_err(|one| self.damaged(one));
        rows.iter().map(row).collect()
    }

    /// Returns the last operations on the follower.
    pub(super) fn operations(
        &self,
        names: &AsideNames,
        limit: usize,
    ) -> Result<Vec<Operation>, StoreError> {
        let sql = operations::select(&names.operations);
        let limit = Value::Integer(row_limit(limit));
        let rows = self.executor("reading operations").select(&sql, &[limit])?;
        let row = |row: &Vec<Value>| {
            let row = operations::row(row).map_err(|one| self.damaged(one));
            row.transpose()
        };
        rows.iter().filter_map(row).collect()
    }

    fn executor(&self, doing: &'static str) -> SqliteExecutor<'_> {
        SqliteExecutor {
            connection: self.connection,
            label: self.label,
            doing,
        }
    }

    fn damaged(&self, row: DamagedAt) -> StoreError {
        self.label.damaged(row.at, row.problem)
    }
}
