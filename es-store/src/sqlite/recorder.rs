//! The recorder of one application on an open database.

use std::sync::Arc;

use es_core::{AggregateId, IdType};
use rusqlite::Connection;

use super::database::Database;
use super::rows::Reader;
use super::schema::Layout;
use crate::role::is_reserved;
use crate::{
    Access, AggregateRecorder, ApplicationRecorder, End, EventQuery, Head, History, Listening,
    Notification, NotificationQuery, ProcessRecorder, RebuildLock, Recorded, Recording, Role,
    Signal, StoreError, StoredEvent, Transaction, UpstreamEvent,
};

pub(super) struct SqliteRecorder {
    application: String,
    database: Arc<Database>,
    role: Role,
    id_type: IdType,
    layout: Layout,
}

impl SqliteRecorder {
    pub(super) fn new(
        application: &str,
        database: Arc<Database>,
        role: Role,
        id_type: IdType,
        layout: Layout,
    ) -> Self {
        Self {
            application: application.to_owned(),
            database,
            role,
            id_type,
            layout,
        }
    }

    fn read<T>(
        &self,
        work: impl FnOnce(Reader<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.database
            .read(|connection| work(self.reader(connection)))
    }

    fn read_aggregate<T>(
        &self,
        work: impl FnOnce(Reader<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.database
            .read_aggregate(|connection| work(self.reader(connection)))
    }

    fn reader<'a>(&'a self, connection: &'a Connection) -> Reader<'a> {
        Reader {
            connection,
            label: &self.database.label,
            id_type: self.id_type,
        }
    }

    fn follows(&self, upstream: &str) -> bool {
        self.role == Role::Follower && !is_reserved(upstream)
    }
}

impl AggregateRecorder for SqliteRecorder {
    fn record(&self, recording: &Recording) -> Result<Recorded, StoreError> {
        recording.check(self.id_type, self.role)?;
        if recording.is_empty() {
            return Ok(Recorded::default());
        }
        if recording.tracking.is_some() && self.layout.many_rows {
            let problem = "the table `tracking` has a row for each position, as old versions of the Python library \
                           made it, and is not written: start Python 9.5 on it once, which migrates it";
            return Err(self.database.label.misconfigured(problem));
        }
        self.database.record(recording)
    }

    fn select_events(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        if query.limit == 0 || id.id_type() != self.id_type {
            return Ok(Vec::new());
        }
        self.read_aggregate(|reader| reader.events(id, query))
    }

    fn record_snapshot(&self, snapshot: &StoredEvent) -> Result<(), StoreError> {
        snapshot.check(self.id_type)?;
        let Self {
            database, layout, ..
        } = self;
        if !layout.has_snapshots {
            let problem = "it has no table `stored_snapshots`, and none is made when it can only be read or CREATE_TABLE is off";
            return Err(database.label.misconfigured(problem));
        }
        database.record_snapshot(snapshot)
    }

    fn select_snapshots(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let nothing = query.limit == 0 || id.id_type() != self.id_type;
        if nothing || !self.layout.has_snapshots {
            return Ok(Vec::new());
        }
        self.read_aggregate(|reader| reader.snapshots(id, query))
    }

    fn select_history(&self, id: &AggregateId, lte: Option<u64>) -> Result<History, StoreError> {
        if id.id_type() != self.id_type {
            return Ok(History::default());
        }
        if self.layout.has_snapshots {
            return self.read_aggregate(|reader| reader.history(id, lte));
        }
        let query = EventQuery {
            lte,
            ..EventQuery::all()
        };
        self.select_events(id, &query)
            .map(|events| History::new(None, events))
    }

    fn id_type(&self) -> IdType {
        self.id_type
    }
}

impl ApplicationRecorder for SqliteRecorder {
    fn select_notifications(
        &self,
        query: &NotificationQuery,
    ) -> Result<Vec<Notification>, StoreError> {
        if query.limit == 0
            || query
                .topics
                .as_ref()
                .is_some_and(|topics| topics.is_empty())
        {
            return Ok(Vec::new());
        }
        self.read(|reader| reader.notifications(query))
    }

    fn head(&self) -> Result<Option<Head>, StoreError> {
        self.read(|reader| reader.head())
    }

    fn event_at(&self, position: u64) -> Result<Option<UpstreamEvent>, StoreError> {
        self.read(|reader| reader.event_at(position))
    }

    fn listen(&self, signal: &Arc<Signal>) -> Result<Listening, StoreError> {
        self.database.listen(signal)
    }
}

impl ProcessRecorder for SqliteRecorder {
    fn tracked(&self, upstream: &str) -> Result<Option<u64>, StoreError> {
        if !self.follows(upstream) {
            return Ok(None);
        }
        self.read(|reader| reader.tracked(upstream))
    }

    fn upstream_event(
        &self,
        upstream: &str,
        position: u64,
    ) -> Result<Option<UpstreamEvent>, StoreError> {
        if !self.follows(upstream) || !self.layout.has_upstream {
            return Ok(None);
        }
        self.read(|reader| reader.upstream_event(upstream, position))
    }

    fn transact(
        &self,
        access: Access,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> Result<End, StoreError>,
    ) -> Result<(), StoreError> {
        if self.layout.many_rows {
            let problem = "the table `tracking` is one of an old version of the Python library, and is not written";
            return Err(self.database.label.misconfigured(problem));
        }
        self.database.transact(&self.application, access, work)
    }

    fn lock_rebuild(&self) -> Result<Option<RebuildLock>, StoreError> {
        self.database.lock_rebuild()
    }
}
