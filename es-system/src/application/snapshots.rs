//! Snapshots: an aggregate is loaded from its newest one, without the events before it.
//!
//! A snapshot only saves work: the events hold the same information. So a snapshot that cannot be
//! read is skipped with a warning. An automatic snapshot is written after the commit of the events,
//! in a transaction of its own; if that fails, or if the process ends in between, nothing is lost.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use es_core::__private::panic_message;
use es_core::{Aggregate, AggregateId, ReplayError, SnapshotState, source};
use es_store::{EventQuery, MapperError, MapperProblem, StoredEvent, sync};

use crate::application::batch;
use crate::application::core::Application;
use crate::application::store_errors;
use crate::error::DataProblem;
use crate::error::{Error, ErrorKind, Result};

impl Application {
    /// Takes a snapshot of an aggregate: in the state after the event numbered `version`, or in its
    /// current state (`None`). From then on it is loaded without the events up to there. Taking the
    /// same snapshot again is no error.
    ///
    /// `#[aggregate(snapshot_every = 100)]` takes snapshots automatically.
    ///
    /// ```
    /// # use es_system::prelude::*;
    /// # #[aggregate]
    /// # #[derive(Serialize, Deserialize)]
    /// # pub struct Dog {}
    /// # #[aggregate]
    /// # impl Dog {
    /// #     #[event(Registered)]
    /// #     pub fn register() -> Self { Self {} }
    /// # }
    /// # #[application]
    /// # pub struct DogSchool;
    /// # let school = DogSchool::new(Env::new())?;
    /// # let mut dog = Dog::register();
    /// # school.save(&mut dog)?;
    /// school.take_snapshot::<Dog>(dog.id(), 1)?;
    /// school.take_snapshot::<Dog>(dog.id(), None)?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// Fails as [`Repository::get_at`](crate::Repository::get_at) does, returns
    /// [`Error::Configuration`] if `IS_SNAPSHOTTING_ENABLED` is off, and fails if the snapshot
    /// cannot be written.
    pub fn take_snapshot<A: Aggregate>(
        &self,
        id: impl Into<AggregateId>,
        version: impl Into<Option<u64>>,
    ) -> Result<()>
    where
        A::State: SnapshotState,
    {
        self.refuse_inside_policy(
            "take_snapshot",
            "take it outside, or let `#[aggregate(snapshot_every = ..)]` take it when the batch is recorded",
        )?;
        if !self.is_snapshotting() {
            return Err(Error::configuration(
                self.name(),
                "IS_SNAPSHOTTING_ENABLED is off, so no snapshot can be taken",
            ));
        }
        let aggregate: A = match version.into() {
            Some(version) => self.repository().get_at(id, version)?,
            None => self.repository().get(id)?,
        };
        match encode(self, &aggregate) {
            Some(snapshot) => {
                let snapshot = snapshot?;
                self.on_store(|store| store.record_snapshot(&snapshot))
            }
            None => Ok(()),
        }
    }
}

/// Returns true if the events from version `first` on have reached or passed the next multiple of
/// the events after which a snapshot is taken.
fn is_due<A: Aggregate>(first: u64, version: u64) -> bool {
    A::__SNAPSHOT_EVERY.is_some_and(|every| (first - 1) / every < version / every)
}

/// Returns a snapshot of an aggregate, if one is due for its events from version `first` on, which
/// were recorded or are about to be. One is also due if the newest one was outdated.
pub(crate) fn due<A: Aggregate>(
    application: &Application,
    aggregate: &mut A,
    first: u64,
) -> Option<StoredEvent> {
    let is_wanted = application.is_snapshotting() && !aggregate.__root().__is_entry();
    let is_outdated = aggregate.__root_mut().__take_outdated_snapshot();
    if !is_wanted || !(is_outdated || is_due::<A>(first, aggregate.version())) {
        return None;
    }
    let snapshot = encode(application, aggregate)?;
    snapshot
        .inspect_err(|error| tracing::warn!(%error, "a snapshot is not taken"))
        .ok()
}

/// Writes snapshots of saved aggregates. It does not use the error handling of the application,
/// because a failure here fails neither the save nor a policy on this thread.
pub(crate) fn record(application: &Application, snapshots: &[StoredEvent]) {
    for snapshot in snapshots {
        let recorded = application.recorder().and_then(|recorder| {
            let recorded = recorder.record_snapshot(snapshot);
            recorded.map_err(|error| Error::store(application.name(), error))
        });
        if let Err(error) = recorded {
            let aggregate = &snapshot.originator_id;
            let version = snapshot.originator_version;
            tracing::warn!(%aggregate, version, %error, "a snapshot is not taken");
        }
    }
}

/// The stored parts of an aggregate, as far as they were read at once.
pub(crate) struct Stored<A> {
    /// The aggregate as its newest snapshot has it, if there is one.
    pub(crate) base: Option<A>,
    /// The first page of the events behind it, or of all events if there is none.
    pub(crate) events: Vec<StoredEvent>,
    /// The bytes of the states of the events and the snapshot.
    pub(crate) bytes: usize,
    /// True if there is a snapshot whose fields are not those of the state.
    pub(crate) has_outdated_snapshot: bool,
}

impl<A> Stored<A> {
    pub(crate) fn new(base: Option<A>, events: Vec<StoredEvent>) -> Self {
        Self {
            bytes: batch::bytes_of(&events),
            base,
            events,
            has_outdated_snapshot: false,
        }
    }
}

/// Reads the newest snapshot of an aggregate, and the page of the events behind it that `query`
/// selects.
pub(crate) fn stored<A: Aggregate>(
    application: &Application,
    id: &AggregateId,
    query: &EventQuery,
) -> Result<Stored<A>> {
    let mut has_outdated_snapshot = false;
    if A::__STORES_STATE && application.is_snapshotting() {
        match with_snapshot(application, id, query) {
            Ok(Some(stored)) => return Ok(stored),
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::BadData => {
                has_outdated_snapshot = has_other_fields(&error);
                report_passed_over::<A>(&error, has_outdated_snapshot);
            }
            Err(error) => return Err(error),
        }
    }
    let events = application.select_events(id, query)?;
    let mut stored = Stored::new(None, events);
    stored.has_outdated_snapshot = has_outdated_snapshot;
    Ok(stored)
}

/// Returns true if a snapshot was read, and its fields are not those of the state.
fn has_other_fields(error: &Error) -> bool {
    let Error::BadData { problem, .. } = error else {
        return false;
    };
    matches!(&**problem, DataProblem::Mapper(error) if matches!(error.problem, MapperProblem::OtherFields(_)))
}

/// Reports a snapshot that cannot be read. After the fields of a state have changed, all snapshots
/// of its type are outdated until their aggregates are saved, so only the first one is a warning.
fn report_passed_over<A: Aggregate>(error: &Error, is_outdated: bool) {
    /// The topics of the types of which an outdated snapshot was reported.
    static REPORTED: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    if !is_outdated {
        tracing::warn!(%error, "a snapshot is passed over, and the events are replayed");
    } else if sync::lock(&REPORTED).insert(A::TOPIC) {
        tracing::warn!(
            %error,
            aggregate = A::TOPIC,
            "a snapshot is passed over, and the events are replayed; the next save of the aggregate \
             takes a new one, and further ones of this type are not reported"
        );
    } else {
        tracing::debug!(%error, "a snapshot is passed over, and the events are replayed");
    }
}

/// Returns `None` if there is a snapshot, but no state can be made of it.
fn with_snapshot<A: Aggregate>(
    application: &Application,
    id: &AggregateId,
    query: &EventQuery,
) -> Result<Option<Stored<A>>> {
    let recorder = application.recorder()?;
    let read = store_errors::calling(|| recorder.select_history(id, query));
    let history = read.map_err(
        |error| match Error::store(application.name(), error.clone()) {
            // The snapshot may be the damaged row, and that is no failure of the store.
            damaged if damaged.kind() == ErrorKind::BadData => damaged,
            _ => application.store_error(error),
        },
    )?;
    let Some(snapshot) = &history.snapshot else {
        return Ok(Some(Stored::new(None, history.events)));
    };
    let Some(base) = decode(application, snapshot)? else {
        return Ok(None);
    };
    let mut stored = Stored::new(Some(base), history.events);
    stored.bytes += snapshot.state.len();
    Ok(Some(stored))
}

/// Compares the state of an aggregate that takes snapshots with what a snapshot stores of it.
pub(crate) fn compare<A: Aggregate>(application: &Application, aggregate: &A) -> Result<()> {
    let is_wanted = A::__SNAPSHOT_EVERY.is_some() && application.is_snapshotting();
    if !is_wanted || aggregate.__root().__is_entry() {
        return Ok(());
    }
    let Some(snapshot) = encode(application, aggregate).transpose()? else {
        return Ok(());
    };
    let compare = || Some(application.mapper().compare_snapshot(aggregate, &snapshot));
    let of = || (aggregate.id().clone(), aggregate.version());
    caught(application, compare, of).map(|_| ())
}

fn encode<A: Aggregate>(application: &Application, aggregate: &A) -> Option<Result<StoredEvent>> {
    let encode = || {
        application
            .mapper()
            .encode_snapshot(aggregate, source::now())
    };
    let of = || (aggregate.id().clone(), aggregate.version());
    caught(application, encode, of).transpose()
}

fn decode<A: Aggregate>(application: &Application, snapshot: &StoredEvent) -> Result<Option<A>> {
    let decode = || application.mapper().decode_snapshot::<A>(snapshot);
    let of = || (snapshot.originator_id.clone(), snapshot.originator_version);
    caught(application, decode, of)
}

/// Runs a user's code for storing or reading a state. A panic becomes an error.
fn caught<T>(
    application: &Application,
    work: impl FnOnce() -> Option<Result<T, MapperError>>,
    of: impl FnOnce() -> (AggregateId, u64),
) -> Result<Option<T>> {
    let name = application.name();
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done
            .transpose()
            .map_err(|problem| Error::data(name, problem)),
        Err(panic) => {
            let (id, version) = of();
            let problem = ReplayError::Panicked {
                topic: "a snapshot".to_owned(),
                version,
                message: panic_message(panic),
            };
            Err(Error::data(name, DataProblem::Replay { id, problem }))
        }
    }
}
