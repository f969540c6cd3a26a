//! Writes one recording, inside a transaction that the caller opens and commits.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::columns::{IdText, position};
use super::{codes, resent};
use crate::error::{Conflict, StoreError};
use crate::recording::{Recorded, Recording};
use crate::sql::label::Label;
use crate::sql::limits::at_most;
use crate::sql::upstream_id;
use crate::stored_event::StoredEvent;
use crate::tracking::{Tracking, UpstreamEvent};

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
        move_position(connection, label, tracking)?;
        if let Some(event) = &tracking.at {
            let failed = |error| codes::failed(label, "recording the upstream's event", error);
            keep_upstream_event(connection, tracking, event).map_err(failed)?;
        }
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

fn move_position(
    connection: &Connection,
    label: &Label,
    tracking: &Tracking,
) -> Result<(), StoreError> {
    let failed = |error| codes::failed(label, "recording the position", error);
    if compare_and_set(connection, tracking).map_err(failed)? {
        return Ok(());
    }
    let found: Option<rusqlite::types::Value> = connection
        .prepare_cached("SELECT notification_id FROM tracking WHERE application_name = ?1")
        .and_then(|mut found| {
            found
                .query_row([&tracking.upstream], |row| row.get(0))
                .optional()
        })
        .map_err(failed)?;
    let found = match found {
        Some(rusqlite::types::Value::Integer(found)) => u64::try_from(found).ok(),
        Some(_) => None,
        None => {
            start_at_zero(connection, &tracking.upstream).map_err(failed)?;
            if compare_and_set(connection, tracking).map_err(failed)? {
                return Ok(());
            }
            Some(0)
        }
    };
    let (upstream, expected) = (tracking.upstream.clone(), tracking.from);
    match found {
        Some(found) => Err(StoreError::PositionMoved {
            upstream,
            expected,
            found,
        }),
        None => Err(label.damaged(
            format!("of tracking for `{upstream}`"),
            "its position is not a whole number of 0 or more",
        )),
    }
}

fn compare_and_set(connection: &Connection, tracking: &Tracking) -> rusqlite::Result<bool> {
    const MOVE: &str = "UPDATE tracking SET notification_id = ?3 WHERE application_name = ?1 AND notification_id = ?2";
    let Tracking {
        upstream, from, to, ..
    } = tracking;
    let moved = connection.prepare_cached(MOVE)?.execute(params![
        upstream,
        at_most(*from),
        at_most(*to)
    ])?;
    Ok(moved == 1)
}

fn start_at_zero(connection: &Connection, upstream: &str) -> rusqlite::Result<usize> {
    const START: &str = "INSERT INTO tracking (application_name, notification_id) VALUES (?1, 0)";
    connection.prepare_cached(START)?.execute([upstream])
}

fn keep_upstream_event(
    connection: &Connection,
    tracking: &Tracking,
    event: &UpstreamEvent,
) -> rusqlite::Result<usize> {
    const KEEP: &str = "INSERT INTO es_upstream (application_name, notification_id, originator_id, originator_version) \
                        VALUES (?1, ?2, ?3, ?4) ON CONFLICT (application_name) DO UPDATE SET \
                        notification_id = ?2, originator_id = ?3, originator_version = ?4";
    let id = upstream_id::to_column(&event.originator_id);
    let version = at_most(event.originator_version);
    connection.prepare_cached(KEEP)?.execute(params![
        tracking.upstream,
        at_most(tracking.to),
        id,
        version
    ])
}
