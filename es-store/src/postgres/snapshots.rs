//! Snapshots, which have a table of their own.

use es_core::AggregateId;

use super::recorder::{PostgresRecorder, check_text, has_zero};
use super::rows::id_param;
use super::sql::Sql;
use crate::error::StoreError;
use crate::event_query::EventQuery;
use crate::recording::Recording;
use crate::role::Role;
use crate::sql::limits::{at_most, row_limit};
use crate::stored_event::StoredEvent;

impl PostgresRecorder {
    /// Records a snapshot of an aggregate at a version. It replaces an earlier snapshot of that
    /// version.
    ///
    /// # Errors
    /// Fails when the id or the version cannot be stored, or the store cannot be written.
    pub(super) fn keep_snapshot(&self, snapshot: &StoredEvent) -> Result<(), StoreError> {
        let recording = Recording::new(vec![snapshot.clone()]);
        recording.check(self.id_type, Role::Leader)?;
        check_text(&recording)?;
        if !self.has_snapshots {
            let problem = "it has no table of snapshots, and none is made when CREATE_TABLE is off or the role may not";
            return Err(self.settings.label.misconfigured(problem));
        }
        let id = id_param(&snapshot.originator_id);
        let (version, topic) = (at_most(snapshot.originator_version), &*snapshot.topic);
        self.read("recording a snapshot", |connection| {
            connection.execute(
                Sql::RecordSnapshot,
                &[&*id, &version, &topic, &snapshot.state],
            )
        })?;
        Ok(())
    }

    /// Returns the snapshots of one aggregate, which may be none.
    ///
    /// # Errors
    /// Fails when the store cannot be read, or a row is damaged.
    pub(super) fn snapshots(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let cannot_be = id.id_type() != self.id_type || has_zero(id) || !self.has_snapshots;
        if query.limit == 0 || cannot_be {
            return Ok(Vec::new());
        }
        let sql = if query.desc {
            Sql::SnapshotsDesc
        } else {
            Sql::Snapshots
        };
        let (param, limit) = (id_param(id), row_limit(query.limit));
        let (gt, lte) = (
            query.gt.map_or(i64::MIN, at_most),
            query.lte.map_or(i64::MAX, at_most),
        );
        let rows = self.read("reading snapshots", |connection| {
            connection.query(sql, &[&*param, &gt, &lte, &limit, &i64::MAX])
        })?;
        rows.iter().map(|row| self.rows().event(id, row)).collect()
    }
}
