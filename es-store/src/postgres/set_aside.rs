//! The events that a follower has set aside, and the operations on it.

use super::recorder::PostgresRecorder;
use crate::error::StoreError;
use crate::operation::Operation;
use crate::role::Role;
use crate::set_aside::{SetAside, SetAsideQuery};
use crate::sql::damaged::DamagedAt;
use crate::sql::limits::row_limit;
use crate::sql::schema::FOLLOWS_NONE;
use crate::sql::transaction::Value;
use crate::sql::{operations, set_aside};

impl PostgresRecorder {
    /// Fails if events cannot be set aside. The error has the statements that make it possible.
    pub(super) fn check_aside(&self, role: Role) -> Result<(), StoreError> {
        match &self.aside.problem {
            Some(problem) => Err(self.settings.label.misconfigured(problem)),
            None if role == Role::Leader => Err(self.settings.label.misconfigured(FOLLOWS_NONE)),
            None => Ok(()),
        }
    }

    /// Returns events that are set aside.
    pub(super) fn set_aside(&self, query: &SetAsideQuery) -> Result<Vec<SetAside>, StoreError> {
        if !self.aside.is_readable {
            return Ok(Vec::new());
        }
        let mut query = query.clone();
        // A text with a zero byte is not stored here.
        if query
            .upstream
            .iter()
            .any(|upstream| upstream.contains('\0'))
        {
            return Ok(Vec::new());
        }
        if let Some(sequences) = &mut query.sequences {
            sequences.retain(|sequence| !sequence.contains('\0'));
        }
        let (sql, params) = set_aside::select(&self.names.aside(), &query)?;
        let rows = self.read("reading what is set aside", |connection| {
            connection.select_text(&sql, &params)
        })?;
        let row = |row: &Vec<Value>| set_aside::row(row).map_err(|one| self.damaged(one));
        rows.iter().map(row).collect()
    }

    /// Returns the last operations on the follower.
    pub(super) fn operations(&self, limit: usize) -> Result<Vec<Operation>, StoreError> {
        if !self.aside.is_readable {
            return Ok(Vec::new());
        }
        let sql = operations::select(&self.names.aside().operations);
        let limit = Value::Integer(row_limit(limit));
        let rows = self.read("reading operations", |connection| {
            connection.select_text(&sql, std::slice::from_ref(&limit))
        })?;
        let row = |row: &Vec<Value>| {
            let row = operations::row(row).map_err(|one| self.damaged(one));
            row.transpose()
        };
        rows.iter().filter_map(row).collect()
    }

    fn damaged(&self, row: DamagedAt) -> StoreError {
        self.settings.label.damaged(row.at, row.problem)
    }
}
