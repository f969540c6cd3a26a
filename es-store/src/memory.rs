//! A store in memory. It has the same conflicts, order, limits and errors as the other stores, and
//! its content ends with its recorder.

mod positions;
mod record;
mod set_aside;

use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use es_core::{AggregateId, IdType};

use self::record::Record;
use crate::env::Env;
use crate::error::StoreError;
use crate::event_query::EventQuery;
use crate::followed::Followed;
use crate::notification::{Head, Notification, NotificationPage, NotificationQuery};
use crate::operation::Operation;
use crate::recorder::{AggregateRecorder, ApplicationRecorder, ProcessRecorder};
use crate::recording::{Recorded, Recording};
use crate::role::Role;
use crate::set_aside::{SetAside, SetAsideQuery};
use crate::signal::{Listening, Signal, Signals};
use crate::stored_event::StoredEvent;
use crate::sync;
use crate::upstream_event::UpstreamEvent;

/// Opens an empty store for an application.
///
/// # Errors
/// Fails when `ORIGINATOR_ID_TYPE` is wrong.
pub fn open(
    _application: &str,
    role: Role,
    env: &Env,
) -> Result<Arc<dyn ProcessRecorder>, StoreError> {
    Ok(Arc::new(MemoryRecorder::new(role, env.id_type()?)))
}

/// Keeps events in memory. Two recorders never share anything.
///
/// Concurrency: one lock guards all content. `record` holds it for writing while it checks and
/// inserts, and undoes its inserts on an error before it unlocks. So nobody sees a part of a
/// recording, and positions become visible in order. No user's code runs under the lock. If a
/// failed allocation poisoned the lock, it is taken all the same.
#[derive(Debug)]
pub struct MemoryRecorder {
    role: Role,
    id_type: IdType,
    record: RwLock<Record>,
    signals: Signals,
}

impl MemoryRecorder {
    /// Creates an empty store.
    pub fn new(role: Role, id_type: IdType) -> Self {
        Self {
            role,
            id_type,
            record: RwLock::default(),
            signals: Signals::default(),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Record> {
        sync::read(&self.record)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Record> {
        sync::write(&self.record)
    }
}

impl AggregateRecorder for MemoryRecorder {
    fn record(&self, recording: &Recording) -> Result<Recorded, StoreError> {
        recording.check(self.id_type, self.role)?;
        let positions = self.write().record(recording)?;
        if !positions.is_empty() {
            self.signals.ring();
        }
        Ok(Recorded::new(positions))
    }

    fn select_events(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        Ok(self.read().events(id, query))
    }

    fn record_snapshot(&self, snapshot: &StoredEvent) -> Result<(), StoreError> {
        snapshot.check(self.id_type)?;
        self.write().record_snapshot(snapshot);
        Ok(())
    }

    fn select_snapshots(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        Ok(self.read().snapshots(id, query))
    }

    fn id_type(&self) -> IdType {
        self.id_type
    }
}

impl ApplicationRecorder for MemoryRecorder {
    fn select_notifications(
        &self,
        query: &NotificationQuery,
    ) -> Result<Vec<Notification>, StoreError> {
        Ok(self.read().notifications(query))
    }

    fn select_page(&self, query: &NotificationQuery) -> Result<NotificationPage, StoreError> {
        Ok(self.read().page(query))
    }

    fn head(&self) -> Result<Option<Head>, StoreError> {
        Ok(self.read().head())
    }

    fn event_at(&self, position: u64) -> Result<Option<UpstreamEvent>, StoreError> {
        Ok(self.read().event_at(position))
    }

    fn listen(&self, signal: &Arc<Signal>) -> Result<Listening, StoreError> {
        Ok(self.signals.listen(signal))
    }
}

impl ProcessRecorder for MemoryRecorder {
    fn tracked(&self, upstream: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.read().positions.tracked(upstream))
    }

    fn followed(&self, upstream: &str) -> Result<Followed, StoreError> {
        let record = self.read();
        let mut followed = record.positions.followed(upstream);
        record.set_aside.complete(&mut followed, upstream);
        Ok(followed)
    }

    fn check_set_aside(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn select_set_aside(&self, query: &SetAsideQuery) -> Result<Vec<SetAside>, StoreError> {
        Ok(self.read().set_aside.select(query))
    }

    fn select_operations(&self, limit: usize) -> Result<Vec<Operation>, StoreError> {
        Ok(self.read().set_aside.operations(limit))
    }
}
