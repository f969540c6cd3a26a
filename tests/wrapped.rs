//! Recorders that do something of their own around each call.

use std::sync::Arc;

use es_system::AggregateId;
use es_system::store::IdType;
use es_system::store::{
    Access, AggregateRecorder, ApplicationRecorder, End, Followed, Head, History, Listening,
    Notification, NotificationPage, NotificationQuery, Operation, ProcessRecorder, RebuildLock,
    Recorded, Recording, Role, SetAside, SetAsideQuery, Signal, StoreError, StoreFactory,
    StoredEvent, UpstreamEvent, postgres, sqlite,
};
use es_system::{Env, EventQuery, Transaction};

/// The behaviour around the calls of a recorder. By default each method passes the call on.
pub trait Around: Send + Sync + 'static {
    /// Around `record`.
    ///
    /// # Errors
    /// Returns the error of the recorder.
    fn record(
        &self,
        recorder: &dyn ProcessRecorder,
        recording: &Recording,
    ) -> Result<Recorded, StoreError> {
        recorder.record(recording)
    }

    /// Around `listen`.
    ///
    /// # Errors
    /// Returns the error of the recorder.
    fn listen(
        &self,
        recorder: &dyn ProcessRecorder,
        signal: &Arc<Signal>,
    ) -> Result<Listening, StoreError> {
        recorder.listen(signal)
    }

    /// Around `head`.
    ///
    /// # Errors
    /// Returns the error of the recorder.
    fn head(&self, recorder: &dyn ProcessRecorder) -> Result<Option<Head>, StoreError> {
        recorder.head()
    }

    /// Around `transact`.
    ///
    /// # Errors
    /// Returns the error of the recorder.
    fn transact(
        &self,
        recorder: &dyn ProcessRecorder,
        access: Access,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> Result<End, StoreError>,
    ) -> Result<(), StoreError> {
        recorder.transact(access, work)
    }

    /// Called before `select_history`.
    fn before_select_history(&self) {}

    /// Around `followed`.
    ///
    /// # Errors
    /// Returns the error of the recorder.
    fn followed(
        &self,
        recorder: &dyn ProcessRecorder,
        upstream: &str,
    ) -> Result<Followed, StoreError> {
        recorder.followed(upstream)
    }

    /// Called before `followed`.
    fn before_followed(&self) {}

    /// Called before `select_notifications` and `select_page`.
    fn before_select_notifications(&self) {}

    /// Returns what `select_notifications` returns in place of `found`.
    fn after_select_notifications(&self, found: Vec<Notification>) -> Vec<Notification> {
        found
    }
}

/// A recorder with such a behaviour around it.
struct Wrapped<A> {
    recorder: Arc<dyn ProcessRecorder>,
    around: Arc<A>,
}

/// Wraps the recorder of one application.
pub struct Wrapping<A> {
    /// The application whose recorder is wrapped.
    pub application: &'static str,
    /// The behaviour around the recorder.
    pub around: Arc<A>,
}

impl<A: Around> StoreFactory for Wrapping<A> {
    fn open(
        &self,
        application: &str,
        role: Role,
        env: &Env,
    ) -> Result<Arc<dyn ProcessRecorder>, StoreError> {
        let recorder = open(application, role, env)?;
        if application != self.application {
            return Ok(recorder);
        }
        Ok(wrap(recorder, self.around.clone()))
    }
}

/// Opens the store of an application on SQLite or PostgreSQL.
///
/// # Errors
/// Fails if the store cannot be opened.
pub fn open(
    application: &str,
    role: Role,
    env: &Env,
) -> Result<Arc<dyn ProcessRecorder>, StoreError> {
    match env.get("PERSISTENCE_MODULE") {
        Some(module) if module.contains("postgres") => postgres::open(application, role, env),
        _ => sqlite::open(application, role, env),
    }
}

/// Returns a recorder with a behaviour around it.
pub fn wrap<A: Around>(
    recorder: Arc<dyn ProcessRecorder>,
    around: Arc<A>,
) -> Arc<dyn ProcessRecorder> {
    Arc::new(Wrapped { recorder, around })
}

impl<A: Around> AggregateRecorder for Wrapped<A> {
    fn record(&self, recording: &Recording) -> Result<Recorded, StoreError> {
        self.around.record(&*self.recorder, recording)
    }

    fn select_events(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.recorder.select_events(id, query)
    }

    fn record_snapshot(&self, snapshot: &StoredEvent) -> Result<(), StoreError> {
        self.recorder.record_snapshot(snapshot)
    }

    fn select_snapshots(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.recorder.select_snapshots(id, query)
    }

    fn select_history(&self, id: &AggregateId, query: &EventQuery) -> Result<History, StoreError> {
        self.around.before_select_history();
        self.recorder.select_history(id, query)
    }

    fn id_type(&self) -> IdType {
        self.recorder.id_type()
    }
}

impl<A: Around> ApplicationRecorder for Wrapped<A> {
    fn select_notifications(
        &self,
        query: &NotificationQuery,
    ) -> Result<Vec<Notification>, StoreError> {
        self.around.before_select_notifications();
        let found = self.recorder.select_notifications(query)?;
        Ok(self.around.after_select_notifications(found))
    }

    fn select_page(&self, query: &NotificationQuery) -> Result<NotificationPage, StoreError> {
        self.around.before_select_notifications();
        self.recorder.select_page(query)
    }

    fn head(&self) -> Result<Option<Head>, StoreError> {
        self.around.head(&*self.recorder)
    }

    fn event_at(&self, position: u64) -> Result<Option<UpstreamEvent>, StoreError> {
        self.recorder.event_at(position)
    }

    fn listen(&self, signal: &Arc<Signal>) -> Result<Listening, StoreError> {
        self.around.listen(&*self.recorder, signal)
    }
}

impl<A: Around> ProcessRecorder for Wrapped<A> {
    fn tracked(&self, upstream: &str) -> Result<Option<u64>, StoreError> {
        self.recorder.tracked(upstream)
    }

    fn followed(&self, upstream: &str) -> Result<Followed, StoreError> {
        self.around.before_followed();
        self.around.followed(&*self.recorder, upstream)
    }

    fn check_set_aside(&self) -> Result<(), StoreError> {
        self.recorder.check_set_aside()
    }

    fn select_set_aside(&self, query: &SetAsideQuery) -> Result<Vec<SetAside>, StoreError> {
        self.recorder.select_set_aside(query)
    }

    fn select_operations(&self, limit: usize) -> Result<Vec<Operation>, StoreError> {
        self.recorder.select_operations(limit)
    }

    fn transact(
        &self,
        access: Access,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> Result<End, StoreError>,
    ) -> Result<(), StoreError> {
        self.around.transact(&*self.recorder, access, work)
    }

    fn lock_rebuild(&self) -> Result<Option<RebuildLock>, StoreError> {
        self.recorder.lock_rebuild()
    }
}
