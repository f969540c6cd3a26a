//! The positions of a projection and of its rebuild.

use super::meta::problem;
use crate::error::StoreError;
use crate::sql::transaction::Transaction;
use crate::sql::upstream_id;
use crate::tracking::UpstreamEvent;

/// The prefix of the upstream's name in the row of a rebuild's position. No application may have a
/// name that begins with it.
const REBUILD: &str = "__rebuild__";

/// A position in an upstream.
pub(super) struct Position {
    upstream: String,
    /// The upstream's name in the row of the position.
    row: String,
}

impl Position {
    /// Returns the position of the tables that are queried.
    pub(super) fn live(upstream: &str) -> Self {
        Self {
            upstream: upstream.to_owned(),
            row: upstream.to_owned(),
        }
    }

    /// Returns the position of the tables that are being rebuilt.
    pub(super) fn rebuild(upstream: &str) -> Self {
        Self {
            upstream: upstream.to_owned(),
            row: format!("{REBUILD}{upstream}"),
        }
    }

    pub(super) fn upstream(&self) -> &str {
        &self.upstream
    }

    /// Returns the position, or 0 if there is none, and locks it until the transaction ends.
    pub(super) fn lock(&self, tx: &mut Transaction<'_>) -> Result<u64, StoreError> {
        let tracking = &tx.names().tracking;
        let lock = format!(
            "UPDATE {tracking} SET notification_id = notification_id WHERE application_name = $1 RETURNING notification_id"
        );
        let start = format!(
            "INSERT INTO {tracking} (application_name, notification_id) VALUES ($1, 0) ON CONFLICT DO NOTHING"
        );
        let mut row = tx.query_first(&lock, &[&self.row]).map_err(problem)?;
        if row.is_none() {
            tx.execute(&start, &[&self.row]).map_err(problem)?;
            row = tx.query_first(&lock, &[&self.row]).map_err(problem)?;
        }
        match row.map(|row| row.get(0)) {
            Some(Ok(position)) => Ok(position),
            _ => Err(StoreError::DamagedRow {
                store: tracking.clone(),
                at: format!("of tracking for `{}`", self.row),
                problem: "its position is not a whole number of 0 or more".to_owned(),
            }),
        }
    }

    pub(super) fn set(&self, tx: &mut Transaction<'_>, to: u64) -> Result<(), StoreError> {
        let tracking = &tx.names().tracking;
        let sql = format!("UPDATE {tracking} SET notification_id = $2 WHERE application_name = $1");
        tx.execute(&sql, &[&self.row, &to]).map_err(problem)?;
        Ok(())
    }

    /// Records the event at the position `to`.
    pub(super) fn keep_event(
        &self,
        tx: &mut Transaction<'_>,
        to: u64,
        event: &UpstreamEvent,
    ) -> Result<(), StoreError> {
        let upstream = &tx.names().upstream;
        let sql = format!(
            "INSERT INTO {upstream} (application_name, notification_id, originator_id, originator_version) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (application_name) DO UPDATE SET \
             notification_id = excluded.notification_id, originator_id = excluded.originator_id, \
             originator_version = excluded.originator_version"
        );
        let id = upstream_id::to_column(&event.originator_id);
        tx.execute(&sql, &[&self.row, &to, &id, &event.originator_version])
            .map_err(problem)?;
        Ok(())
    }

    /// Takes over the event that is recorded for `other`.
    pub(super) fn take_event_of(
        &self,
        tx: &mut Transaction<'_>,
        other: &Self,
    ) -> Result<(), StoreError> {
        let upstream = &tx.names().upstream;
        let remove = format!("DELETE FROM {upstream} WHERE application_name = $1");
        tx.execute(&remove, &[&self.row]).map_err(problem)?;
        let take =
            format!("UPDATE {upstream} SET application_name = $1 WHERE application_name = $2");
        tx.execute(&take, &[&self.row, &other.row])
            .map_err(problem)?;
        Ok(())
    }
}

/// Removes the positions of a rebuild.
pub(super) fn remove_of_rebuild(tx: &mut Transaction<'_>) -> Result<(), StoreError> {
    let names = tx.names();
    for table in [&names.tracking, &names.upstream] {
        let sql = format!("DELETE FROM {table} WHERE substr(application_name, 1, $1) = $2");
        // The database counts characters, and these are one byte each.
        let length = i32::try_from(REBUILD.len()).unwrap_or_default();
        tx.execute(&sql, &[&length, &REBUILD]).map_err(problem)?;
    }
    Ok(())
}
