//! A store that fails on purpose.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use es_core::{AggregateId, IdType};

use crate::commits::Commits;
use crate::env::{Env, StoreFactory};
use crate::error::StoreError;
use crate::event_query::EventQuery;
use crate::followed::Followed;
use crate::memory;
use crate::notification::{Head, Notification, NotificationPage, NotificationQuery};
use crate::operation::Operation;
use crate::rebuild_lock::RebuildLock;
use crate::recorder::{AggregateRecorder, ApplicationRecorder, ProcessRecorder};
use crate::recording::{Recorded, Recording};
use crate::role::Role;
use crate::set_aside::{SetAside, SetAsideQuery};
use crate::signal::{Listening, Signal};
use crate::sql::transaction::{Access, End, Transaction};
use crate::stored_event::StoredEvent;
use crate::sync::lock;
use crate::upstream_event::UpstreamEvent;

/// A method of a recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// [`AggregateRecorder::record`].
    Record,
    /// [`AggregateRecorder::select_events`].
    SelectEvents,
    /// [`AggregateRecorder::record_snapshot`].
    RecordSnapshot,
    /// [`AggregateRecorder::select_snapshots`].
    SelectSnapshots,
    /// [`ApplicationRecorder::select_notifications`].
    SelectNotifications,
    /// [`ApplicationRecorder::select_page`].
    SelectPage,
    /// [`ApplicationRecorder::head`].
    Head,
    /// [`ApplicationRecorder::event_at`].
    EventAt,
    /// [`ApplicationRecorder::listen`].
    Listen,
    /// [`ProcessRecorder::tracked`].
    Tracked,
    /// [`ProcessRecorder::followed`].
    Followed,
    /// [`ProcessRecorder::check_set_aside`].
    CheckSetAside,
    /// [`ProcessRecorder::select_set_aside`].
    SelectSetAside,
    /// [`ProcessRecorder::select_operations`].
    SelectOperations,
    /// [`ProcessRecorder::transact`].
    Transact,
}

/// The moment at which a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Before the call is passed on.
    Before,
    /// After the call was passed on, so that the caller cannot know that it took place.
    After,
}

/// A recorder that passes all calls on to another one, counts them, and fails those that the test
/// selects.
///
/// ```
/// use es_core::IdType;
/// use es_store::testing::{Call, FaultyRecorder, Moment};
/// use es_store::{ApplicationRecorder, Role, StoreError, memory::MemoryRecorder};
///
/// let inner = MemoryRecorder::new(Role::Leader, IdType::Uuid);
/// let recorder = FaultyRecorder::new(std::sync::Arc::new(inner));
/// recorder.fail(Call::Head, 2, Moment::Before, StoreError::closed("test"));
/// assert!(recorder.head().is_ok());
/// assert!(recorder.head().is_err());
/// assert!(recorder.head().is_ok());
/// assert_eq!(recorder.calls(Call::Head), 3);
/// ```
pub struct FaultyRecorder {
    inner: Arc<dyn ProcessRecorder>,
    plan: Mutex<Plan>,
}

#[derive(Default)]
struct Plan {
    calls: HashMap<Call, u64>,
    faults: Vec<Fault>,
}

struct Fault {
    call: Call,
    number: u64,
    moment: Moment,
    error: StoreError,
}

impl FaultyRecorder {
    /// Creates a recorder that passes all calls on to `inner`.
    pub fn new(inner: Arc<dyn ProcessRecorder>) -> Self {
        Self {
            inner,
            plan: Mutex::default(),
        }
    }

    /// Makes the `number`th call of this kind from now on fail with `error`; 1 is the next call.
    pub fn fail(&self, call: Call, number: u64, moment: Moment, error: StoreError) {
        let mut plan = self.plan();
        let number = number + plan.calls.get(&call).copied().unwrap_or(0);
        plan.faults.push(Fault {
            call,
            number,
            moment,
            error,
        });
    }

    /// Returns the number of calls of this kind so far, including failed ones.
    pub fn calls(&self, call: Call) -> u64 {
        self.plan().calls.get(&call).copied().unwrap_or(0)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        lock(&self.plan)
    }

    fn next(&self, call: Call) -> Option<Fault> {
        let mut plan = self.plan();
        let number = plan.calls.entry(call).or_default();
        *number += 1;
        let number = *number;
        let due = plan
            .faults
            .iter()
            .position(|fault| fault.call == call && fault.number == number)?;
        Some(plan.faults.swap_remove(due))
    }

    fn run<T>(
        &self,
        call: Call,
        work: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.next(call) {
            None => work(),
            Some(Fault {
                moment: Moment::Before,
                error,
                ..
            }) => Err(error),
            Some(Fault {
                moment: Moment::After,
                error,
                ..
            }) => {
                work()?;
                Err(error)
            }
        }
    }
}

impl std::fmt::Debug for FaultyRecorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultyRecorder")
            .field("calls", &self.plan().calls)
            .finish_non_exhaustive()
    }
}

impl AggregateRecorder for FaultyRecorder {
    fn record(&self, recording: &Recording) -> Result<Recorded, StoreError> {
        self.run(Call::Record, || self.inner.record(recording))
    }

    fn select_events(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.run(Call::SelectEvents, || self.inner.select_events(id, query))
    }

    fn record_snapshot(&self, snapshot: &StoredEvent) -> Result<(), StoreError> {
        self.run(Call::RecordSnapshot, || {
            self.inner.record_snapshot(snapshot)
        })
    }

    fn select_snapshots(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.run(Call::SelectSnapshots, || {
            self.inner.select_snapshots(id, query)
        })
    }

    fn id_type(&self) -> IdType {
        self.inner.id_type()
    }
}

impl ApplicationRecorder for FaultyRecorder {
    fn select_notifications(
        &self,
        query: &NotificationQuery,
    ) -> Result<Vec<Notification>, StoreError> {
        self.run(Call::SelectNotifications, || {
            self.inner.select_notifications(query)
        })
    }

    fn select_page(&self, query: &NotificationQuery) -> Result<NotificationPage, StoreError> {
        self.run(Call::SelectPage, || self.inner.select_page(query))
    }

    fn head(&self) -> Result<Option<Head>, StoreError> {
        self.run(Call::Head, || self.inner.head())
    }

    fn event_at(&self, position: u64) -> Result<Option<UpstreamEvent>, StoreError> {
        self.run(Call::EventAt, || self.inner.event_at(position))
    }

    fn listen(&self, signal: &Arc<Signal>) -> Result<Listening, StoreError> {
        self.run(Call::Listen, || self.inner.listen(signal))
    }
}

impl ProcessRecorder for FaultyRecorder {
    fn tracked(&self, upstream: &str) -> Result<Option<u64>, StoreError> {
        self.run(Call::Tracked, || self.inner.tracked(upstream))
    }

    fn followed(&self, upstream: &str) -> Result<Followed, StoreError> {
        self.run(Call::Followed, || self.inner.followed(upstream))
    }

    fn check_set_aside(&self) -> Result<(), StoreError> {
        self.run(Call::CheckSetAside, || self.inner.check_set_aside())
    }

    fn select_set_aside(&self, query: &SetAsideQuery) -> Result<Vec<SetAside>, StoreError> {
        self.run(Call::SelectSetAside, || self.inner.select_set_aside(query))
    }

    fn select_operations(&self, limit: usize) -> Result<Vec<Operation>, StoreError> {
        self.run(Call::SelectOperations, || {
            self.inner.select_operations(limit)
        })
    }

    fn commits(&self) -> Option<Commits> {
        self.inner.commits()
    }

    fn transact(
        &self,
        access: Access,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> Result<End, StoreError>,
    ) -> Result<(), StoreError> {
        self.run(Call::Transact, || self.inner.transact(access, work))
    }

    fn lock_rebuild(&self) -> Result<Option<RebuildLock>, StoreError> {
        self.inner.lock_rebuild()
    }
}

/// Gives each application a [`FaultyRecorder`], which the test can get hold of by the application's
/// name.
///
/// An application that is opened again gets the same recorder, as if it were on disk.
///
/// ```
/// use std::sync::Arc;
/// use es_store::testing::{Call, FaultyStores, Moment};
/// use es_store::{Env, Role, StoreError, open};
///
/// let stores = Arc::new(FaultyStores::in_memory());
/// let recorder = open("DogSchool", Role::Leader, &Env::new().with_store(stores.clone()))?;
/// let dog_school = stores.get("DogSchool").expect("it was opened");
/// dog_school.fail(Call::Head, 1, Moment::Before, StoreError::closed("test"));
/// assert!(recorder.head().is_err());
/// # Ok::<(), StoreError>(())
/// ```
pub struct FaultyStores {
    inner: Box<OpenStore>,
    opened: Mutex<HashMap<String, Arc<FaultyRecorder>>>,
}

type OpenStore =
    dyn Fn(&str, Role, &Env) -> Result<Arc<dyn ProcessRecorder>, StoreError> + Send + Sync;

impl FaultyStores {
    /// Stores that are opened by `inner`.
    pub fn new(
        inner: impl Fn(&str, Role, &Env) -> Result<Arc<dyn ProcessRecorder>, StoreError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            inner: Box::new(inner),
            opened: Mutex::default(),
        }
    }

    /// Stores in memory.
    pub fn in_memory() -> Self {
        Self::new(memory::open)
    }

    /// Returns the recorder of an application, if it was opened.
    pub fn get(&self, application: &str) -> Option<Arc<FaultyRecorder>> {
        self.opened().get(application).cloned()
    }

    fn opened(&self) -> MutexGuard<'_, HashMap<String, Arc<FaultyRecorder>>> {
        lock(&self.opened)
    }
}

impl StoreFactory for FaultyStores {
    fn open(
        &self,
        application: &str,
        role: Role,
        env: &Env,
    ) -> Result<Arc<dyn ProcessRecorder>, StoreError> {
        let mut opened = self.opened();
        if let Some(recorder) = opened.get(application) {
            return Ok(recorder.clone());
        }
        let recorder = Arc::new(FaultyRecorder::new((self.inner)(application, role, env)?));
        opened.insert(application.to_owned(), recorder.clone());
        Ok(recorder)
    }
}
