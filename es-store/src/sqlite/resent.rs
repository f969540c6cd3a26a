//! Recordings that are sent again because it is unknown whether they were recorded.

use rusqlite::{Connection, OptionalExtension, params};

use super::columns::{IdText, position};
use super::executor::SqliteExecutor;
use super::tables::aside_names;
use super::{codes, positions};
use crate::error::StoreError;
use crate::recording::Recording;
use crate::sql::beside;
use crate::sql::label::Label;
use crate::sql::limits::at_most;
use crate::stored_event::StoredEvent;

/// Returns the positions at which an earlier attempt at the recording has recorded it.
pub(super) fn recorded_at(
    connection: &Connection,
    label: &Label,
    recording: &Recording,
) -> Result<Option<Vec<u64>>, StoreError> {
    let failed = |error| codes::failed(label, "recording", error);
    if recording.events.is_empty() {
        for tracking in &recording.trackings {
            if !positions::has_moved(connection, tracking).map_err(failed)? {
                return Ok(None);
            }
        }
        let mut executor = SqliteExecutor {
            connection,
            label,
            doing: "recording what is set aside",
        };
        let is_recorded = beside::is_recorded(&mut executor, &aside_names(), recording)?;
        return Ok(is_recorded.then(Vec::new));
    }
    let mut positions = Vec::with_capacity(recording.events.len());
    for event in &recording.events {
        let Some(rowid) = row_of(connection, event).map_err(failed)? else {
            return Ok(None);
        };
        positions.push(position(label, rowid)?);
    }
    Ok(Some(positions))
}

/// Returns the row of a stored event that is the same as `event`.
fn row_of(connection: &Connection, event: &StoredEvent) -> rusqlite::Result<Option<i64>> {
    const SAME: &str = "SELECT rowid FROM stored_events WHERE originator_id = ?1 \
                        AND originator_version = ?2 AND topic = ?3 AND state = ?4";
    let id = IdText::of(&event.originator_id);
    let params = params![
        id.as_str(),
        at_most(event.originator_version),
        event.topic.as_ref(),
        event.state.as_slice()
    ];
    connection
        .prepare_cached(SAME)?
        .query_row(params, |row| row.get(0))
        .optional()
}
