//! Reads the record of a follower about one of its upstreams.

use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::columns::text;
use super::rows::Reader;
use crate::error::StoreError;
use crate::followed::Followed;
use crate::sql::followed::{Columns, FollowedRows, statement};
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

impl Reader<'_> {
    /// Returns everything that is recorded about following `upstream`.
    pub(super) fn followed(&self, upstream: &str) -> Result<Followed, StoreError> {
        let sql = statement("tracking", "es_upstream", "es_policies");
        let mut rows = FollowedRows::of(upstream);
        let params = [upstream, &replay_row(upstream)];
        self.collect_until("reading the position", &sql, params, |row| {
            let added = rows.add(row);
            let damaged = |one: crate::sql::followed::DamagedFollowed| {
                self.label.damaged(one.at, one.problem)
            };
            Ok((added.map_err(damaged)?, false))
        })?;
        Ok(rows.finish())
    }
}
