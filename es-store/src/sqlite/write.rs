//! Writes one recording, inside a transaction that the caller opens and commits.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::columns::{IdText, position};
use super::executor::SqliteExecutor;
use super::tables::aside_names;
use super::{codes, positions, resent};
use crate::error::{Conflict, StoreError};
use crate::recording::{Recorded, Recording};
use crate::sql::beside;
use crate::sql::label::Label;
use crate::sql::limits::at_most;
use crate::stored_event::StoredEvent;

/// Writes `recording`. After an error the transaction must be rolled back.
pub(super) fn record(
    connection: &Connection,
    label: &Label,
    recording: &Recording,
) -> Result<Recorded, StoreError> {
    if recording.is_resent
        && let Some(positions) = resent::recorded_at(connection, label, recording)?
    {
        return Ok(Recorded::new(positions));
    }
    // Positions are moved first: an instance that lost the race gets that error, and not the
    // conflict that follows from it.
    for tracking in &recording.trackings {
        positions::move_position(connection, label, tracking)?;
    }
    if recording.has_aside() {
        let mut executor = SqliteExecutor {
            connection,
            label,
            doing: "recording what is set aside",
        };
        beside::record(&mut executor, &aside_names(), recording)?;
    }
    if recording.events.is_empty() {
        return Ok(Recorded::default());
    }
    check_room(connection, label)?;
    insert_all(connection, label, &recording.events).map(Recorded::new)
}

/// Writes a snapshot. The last one of a version wins; Python reads the table in the same way.
pub(super) fn record_snapshot(
    connection: &Connection,
    label: &Label,
    snapshot: &StoredEvent,
) -> Result<(), StoreError> {
    const REPLACE: &str = "INSERT OR REPLACE INTO stored_snapshots (originator_id, originator_version, topic, state) \
                           VALUES (?1, ?2, ?3, ?4)";
    let id = IdText::of(&snapshot.originator_id);
    let row = params![
        id.as_str(),
        at_most(snapshot.originator_version),
        snapshot.topic.as_ref(),
        snapshot.state.as_slice()
    ];
    let replaced = connection
        .prepare_cached(REPLACE)
        .and_then(|mut replace| replace.execute(row));
    match replaced {
        Ok(_) => Ok(()),
        Err(error) => Err(codes::failed(label, "recording a snapshot", error)),
    }
}

fn insert_all(
    connection: &Connection,
    label: &Label,
    events: &[StoredEvent],
) -> Result<Vec<u64>, StoreError> {
    let mut last = HashMap::new();
    let mut positions = Vec::with_capacity(events.len());
    for event in events {
        let version = event.originator_version;
        // The conflict is found first, because a version that exists already may also be above a
        // gap.
        positions.push(insert(connection, label, event)?);
        let before = last.insert(&event.originator_id, version);
        if version > 1 && before != Some(version - 1) {
            check_follows(connection, label, event)?;
        }
    }
    Ok(positions)
}

fn insert(connection: &Connection, label: &Label, event: &StoredEvent) -> Result<u64, StoreError> {
    const INSERT: &str = "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?1, ?2, ?3, ?4)";
    let StoredEvent {
        originator_id: id,
        originator_version: version,
        topic,
        state,
    } = event;
    let inserted = connection.prepare_cached(INSERT).and_then(|mut insert| {
        insert.insert(params![
            IdText::of(id).as_str(),
            at_most(*version),
            topic.as_ref(),
            state.as_slice()
        ])
    });
    match inserted {
        Ok(rowid) => position(label, rowid),
        Err(error) if codes::is_duplicate(&error) => {
            Err(Conflict::new(id.clone(), *version).into())
        }
        Err(error) => Err(codes::failed(label, "recording events", error)),
    }
}

/// Refuses an event without its predecessor. This is checked once for each aggregate of a
/// recording, because the versions after the first one follow each other there.
fn check_follows(
    connection: &Connection,
    label: &Label,
    event: &StoredEvent,
) -> Result<(), StoreError> {
    const BEFORE: &str =
        "SELECT 1 FROM stored_events WHERE originator_id = ?1 AND originator_version = ?2";
    let (id, version) = (&event.originator_id, event.originator_version);
    let is_there = connection
        .prepare_cached(BEFORE)
        .and_then(|mut found| found.exists(params![IdText::of(id).as_str(), at_most(version - 1)]))
        .map_err(|error| codes::failed(label, "recording events", error))?;
    if is_there {
        return Ok(());
    }
    let id = id.clone();
    Err(StoreError::Gap { id, version })
}

/// Refuses to write above the highest possible position, where SQLite would take any free one.
fn check_room(connection: &Connection, label: &Label) -> Result<(), StoreError> {
    let last: Option<i64> = connection
        .prepare_cached("SELECT MAX(rowid) FROM stored_events")
        .and_then(|mut last| last.query_row([], |row| row.get(0)))
        .map_err(|error| codes::failed(label, "recording events", error))?;
    match last {
        Some(i64::MAX) => Err(StoreError::Invalid(format!(
            "no position is left behind {}",
            i64::MAX
        ))),
        _ => Ok(()),
    }
}
