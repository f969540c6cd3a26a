//! Writes the positions of a follower, inside a transaction that the caller opens and commits.
//!
//! Concurrency: the transaction is the only one that writes. So the position and the policies that
//! it finds are those that it replaces.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};

use super::codes;
use crate::error::StoreError;
use crate::followed::{PoliciesMove, PolicyTopic, TopicChange};
use crate::sql::followed::{Kept, keep_statement, kept};
use crate::sql::label::Label;
use crate::sql::limits::at_most;
use crate::tracking::Tracking;

/// Moves a position by compare-and-set, and records what belongs to the new one.
pub(super) fn move_position(
    connection: &Connection,
    label: &Label,
    tracking: &Tracking,
) -> Result<(), StoreError> {
    let failed = |error| codes::failed(label, "recording the position", error);
    let row = &*tracking.row();
    if !compare_and_set(connection, row, tracking).map_err(failed)? {
        start(connection, label, row, tracking)?;
    }
    if let Some(policies) = &tracking.policies {
        let found = policies_at(connection, row, tracking.from).map_err(failed)?;
        if found != policies.expected {
            let (upstream, from) = (&tracking.upstream, tracking.from);
            return Err(StoreError::position_moved(upstream, from, from));
        }
        change_topics(connection, &tracking.upstream, policies).map_err(failed)?;
    }
    if tracking.ends_replay() {
        return remove(connection, row).map_err(failed);
    }
    if let Some(kept) = kept(tracking) {
        let failed = |error| codes::failed(label, "recording the upstream's event", error);
        keep_upstream(connection, row, &kept).map_err(failed)?;
    }
    Ok(())
}

/// Returns true if the record is what it is after the move.
pub(super) fn has_moved(connection: &Connection, tracking: &Tracking) -> rusqlite::Result<bool> {
    let row = &*tracking.row();
    let found = position(connection, row)?;
    if tracking.ends_replay() {
        return Ok(found.is_none());
    }
    if found != Some(Value::Integer(at_most(tracking.to))) {
        return Ok(false);
    }
    match &tracking.policies {
        Some(policies) => Ok(policies_at(connection, row, tracking.to)? == policies.new),
        None => Ok(true),
    }
}

/// Moves a position that is not the expected one, because it has no row yet.
fn start(
    connection: &Connection,
    label: &Label,
    row: &str,
    tracking: &Tracking,
) -> Result<(), StoreError> {
    const START: &str = "INSERT INTO tracking (application_name, notification_id) VALUES (?1, 0)";
    let failed = |error| codes::failed(label, "recording the position", error);
    let found = match position(connection, row).map_err(failed)? {
        Some(Value::Integer(found)) => u64::try_from(found).ok(),
        Some(_) => None,
        None => {
            let started = connection.prepare_cached(START);
            let started = started.and_then(|mut start| start.execute([row]));
            started.map_err(failed)?;
            if compare_and_set(connection, row, tracking).map_err(failed)? {
                return Ok(());
            }
            Some(0)
        }
    };
    let (upstream, expected) = (&tracking.upstream, tracking.from);
    match found {
        Some(found) => Err(StoreError::position_moved(upstream, expected, found)),
        None => Err(label.damaged(
            format!("of tracking for `{upstream}`"),
            "its position is not a whole number of 0 or more",
        )),
    }
}

fn position(connection: &Connection, row: &str) -> rusqlite::Result<Option<Value>> {
    const POSITION: &str = "SELECT notification_id FROM tracking WHERE application_name = ?1";
    let mut position = connection.prepare_cached(POSITION)?;
    position.query_row([row], |row| row.get(0)).optional()
}

fn compare_and_set(
    connection: &Connection,
    row: &str,
    tracking: &Tracking,
) -> rusqlite::Result<bool> {
    const MOVE: &str = "UPDATE tracking SET notification_id = ?3 WHERE application_name = ?1 AND notification_id = ?2";
    let (from, to) = (at_most(tracking.from), at_most(tracking.to));
    let moved = connection
        .prepare_cached(MOVE)?
        .execute(params![row, from, to])?;
    Ok(moved == 1)
}

/// Returns the tag that is recorded for this position.
fn policies_at(connection: &Connection, row: &str, at: u64) -> rusqlite::Result<Option<String>> {
    const POLICIES: &str =
        "SELECT policies FROM es_upstream WHERE application_name = ?1 AND policies_at = ?2";
    let mut policies = connection.prepare_cached(POLICIES)?;
    let found = policies.query_row(params![row, at_most(at)], |row| row.get(0));
    Ok(found.optional()?.flatten())
}

fn keep_upstream(connection: &Connection, row: &str, kept: &Kept<'_>) -> rusqlite::Result<usize> {
    let mut keep = connection.prepare_cached(&keep_statement("es_upstream"))?;
    keep.execute(params![
        row,
        kept.event_at,
        kept.originator_id,
        kept.originator_version,
        kept.identity_at,
        kept.identity,
        kept.policies_at,
        kept.policies,
    ])
}

fn change_topics(
    connection: &Connection,
    upstream: &str,
    policies: &PoliciesMove,
) -> rusqlite::Result<()> {
    const PUT: &str =
        "INSERT OR REPLACE INTO es_policies (upstream, topic, covered) VALUES (?1, ?2, ?3)";
    const REMOVE: &str = "DELETE FROM es_policies WHERE upstream = ?1 AND topic = ?2";
    for change in &policies.topics {
        match change {
            TopicChange::Put(PolicyTopic { topic, covered }) => connection
                .prepare_cached(PUT)?
                .execute(params![upstream, topic, covered.map(at_most)])?,
            TopicChange::Remove(topic) => connection
                .prepare_cached(REMOVE)?
                .execute(params![upstream, topic])?,
        };
    }
    Ok(())
}

fn remove(connection: &Connection, row: &str) -> rusqlite::Result<()> {
    const POSITION: &str = "DELETE FROM tracking WHERE application_name = ?1";
    const EVENT: &str = "DELETE FROM es_upstream WHERE application_name = ?1";
    for remove in [POSITION, EVENT] {
        connection.prepare_cached(remove)?.execute([row])?;
    }
    Ok(())
}
