//! Snapshots, in a table that is made when the first is kept.

use es_core::AggregateId;

use super::recorder::{PostgresRecorder, check_text, has_zero};
use super::rows::{at_most, id_param, limit};
use super::schema;
use super::sql::Sql;
use crate::{EventQuery, Recording, Role, StoreError, StoredEvent};

impl PostgresRecorder {
    /// Keeps a snapshot of an aggregate, as its state at that version. To keep it twice is no error: the later one stays.
    ///
    /// # Errors
    /// When the id or the version cannot be kept, or the store cannot be written.
    pub fn record_snapshot(&self, snapshot: &StoredEvent) -> Result<(), StoreError> {
        let recording = Recording::new(vec![snapshot.clone()]);
        recording.check(self.id_type, Role::Leader)?;
        check_text(&recording)?;
        self.prepare_snapshots()?;
        let id = id_param(&snapshot.originator_id);
        let (version, topic) = (at_most(snapshot.originator_version), &*snapshot.topic);
        self.pool.read("recording a snapshot", |connection| {
            connection.execute(
                Sql::RecordSnapshot,
                &[&*id, &version, &topic, &snapshot.state],
            )
        })?;
        Ok(())
    }

    /// The snapshots of one aggregate; none if none was ever kept.
    ///
    /// # Errors
    /// When the store cannot be read, or a row is damaged.
    pub fn select_snapshots(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        if query.limit == 0 || id.id_type() != self.id_type || has_zero(id) {
            return Ok(Vec::new());
        }
        self.prepare_snapshots()?;
        let sql = match query.desc {
            false => Sql::Snapshots,
            true => Sql::SnapshotsDesc,
        };
        let (param, limit) = (id_param(id), limit(query.limit));
        let (gt, lte) = (
            query.gt.map_or(i64::MIN, at_most),
            query.lte.map_or(i64::MAX, at_most),
        );
        let rows = self.pool.read("reading snapshots", |connection| {
            connection.query(sql, &[&*param, &gt, &lte, &limit])
        })?;
        rows.iter().map(|row| self.rows().event(id, row)).collect()
    }

    /// Looked for once: who comes at the same time looks for himself.
    fn prepare_snapshots(&self) -> Result<(), StoreError> {
        if self.has_snapshots.get().is_none() {
            let mut connection = self.connect()?;
            schema::prepare_snapshots(&mut connection.client, &self.settings, &self.names)?;
            let _first = self.has_snapshots.set(());
        }
        Ok(())
    }
}
