//! Writing a group of recordings in one transaction.
//!
//! The order of the log: a position is given when a row is inserted, and seen when its transaction
//! commits. So that no reader is shown a position below one that it has seen, the table is locked
//! before the first row of a transaction is inserted, until its end; the Python library does the
//! same. The checks are statements that begin after the lock is held.

mod by_function;
mod by_statements;
mod columns;

use std::collections::HashMap;

use es_core::AggregateId;
use tokio_postgres::{Error, Row};

use super::connection::Connection;
use super::names::Names;
use super::rows::{Rows, version};
use crate::error::StoreError;
use crate::recording::Recording;
use crate::stored_event::StoredEvent;

/// Why a group was not written.
pub(super) enum WriteError {
    Driver(Error),
    Store(StoreError),
    /// Somebody else moved a position meanwhile; nothing was written.
    Race,
}

impl From<Error> for WriteError {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Writes groups on one connection.
pub(super) struct Write<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) names: &'a Names,
    pub(super) rows: Rows<'a>,
}

impl Write<'_> {
    /// The positions of new events, in their order. The rows tell whose they are, and may come in
    /// any order.
    fn positions<'g>(
        &self,
        rows: &[Row],
        group: impl Iterator<Item = &'g Recording>,
    ) -> Result<Vec<u64>, WriteError> {
        let lacks = || {
            let at = "among those just recorded";
            let problem = "its id or version is another one";
            WriteError::Store(self.rows.label.damaged(at, problem))
        };
        let mut inserted = Vec::with_capacity(rows.len());
        for row in rows {
            let id = self.rows.id(row, 1).map_err(|_| lacks())?;
            let version = version(row, 2).map_err(|_| lacks())?;
            inserted.push(((id, version), self.rows.position(row, 0)?));
        }
        let events: Vec<_> = group.flat_map(|one| &one.events).collect();
        let is_of = |event: &StoredEvent, (id, version): &(AggregateId, u64)| {
            event.originator_id == *id && event.originator_version == *version
        };
        // As a rule they come in the order of the events.
        if events.len() == inserted.len()
            && events
                .iter()
                .zip(&inserted)
                .all(|(event, (key, _))| is_of(event, key))
        {
            return Ok(inserted.into_iter().map(|(_, position)| position).collect());
        }
        let inserted: HashMap<_, _> = inserted.into_iter().collect();
        let position = |event: &&StoredEvent| {
            let key = (event.originator_id.clone(), event.originator_version);
            inserted.get(&key).copied().ok_or_else(lacks)
        };
        events.iter().map(position).collect()
    }
}
