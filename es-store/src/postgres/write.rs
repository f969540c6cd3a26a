//! Writing a group of recordings in one transaction.
//!
//! The order of the log: a position is assigned when a row is inserted, and becomes visible when
//! its transaction commits. No reader may see a position below one that it has already seen. So
//! each transaction locks the table before it inserts its first row, until its end; the Python
//! library does the same. The checks are statements that begin after the lock was taken.

mod aside;
mod by_function;
mod by_statements;
mod columns;
mod positions;

use std::collections::HashMap;

use es_core::AggregateId;
use tokio_postgres::{Error, Row};

use super::codes::Message;
use super::connection::Connection;
use super::names::Names;
use super::rows::{Rows, version};
use crate::error::StoreError;
use crate::recording::Recording;
use crate::stored_event::StoredEvent;

/// The reason why a group was not written.
pub(super) enum WriteError {
    Driver(Error),
    Store(StoreError),
    /// Another program moved a position meanwhile; nothing was written.
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

/// The writer of groups on one connection.
pub(super) struct Write<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) names: &'a Names,
    pub(super) rows: Rows<'a>,
}

impl Write<'_> {
    /// Returns the positions of new events, in the order of the events. The returned rows may come
    /// in any order; their ids and versions identify the events.
    fn positions<'g>(
        &self,
        rows: &[Row],
        group: impl Iterator<Item = &'g Recording>,
    ) -> Result<Vec<u64>, WriteError> {
        let lacks = || {
            let at = "among those just recorded";
            let problem = "its id or version differs from that of the event";
            WriteError::Store(self.rows.label.damaged(at, problem))
        };
        let mut inserted = Vec::with_capacity(rows.len());
        for row in rows {
            let id = self.rows.id(row, 1).map_err(|_| lacks())?;
            let version = version(row, 2).map_err(|_| lacks())?;
            inserted.push(((id, version), self.rows.position(row, 0)?));
        }
        let events: Vec<_> = group.flat_map(|one| &one.events).collect();
        if inserted.len() < events.len() {
            let kept_back = Message::new("a trigger of the table has kept an event back");
            return Err(self.rows.label.refused("recording", kept_back).into());
        }
        let is_of = |event: &StoredEvent, (id, version): &(AggregateId, u64)| {
            event.originator_id == *id && event.originator_version == *version
        };
        // The rows usually come in the order of the events.
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
