//! Snapshots: from the newest one an aggregate is loaded without the events before it.
//!
//! A snapshot only saves work, and whatever is wrong with one, the events say the same. So one that cannot be read is
//! passed over with a warning. One that is taken by itself is written after the commit of the events, in a transaction of
//! its own: if that fails, or the process ends in between, nothing is lost.

use std::panic::{AssertUnwindSafe, catch_unwind};

use es_core::__private::panic_message;
use es_core::{Aggregate, AggregateId, ReplayError, SnapshotState, source};
use es_store::{EventQuery, MapperError, StoredEvent};

use crate::application::core::Application;
use crate::error::DataProblem;
use crate::error::{Error, ErrorKind, Result};

impl Application {
    /// Takes a snapshot of an aggregate, as it was after the event numbered `version`, or as it is now (`None`). From
    /// then on it is loaded without the events up to there. To take the same snapshot again is no error.
    ///
    /// `#[aggregate(snapshot_every = 100)]` takes them without being asked.
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
    /// As [`Repository::get_at`](crate::Repository::get_at); [`Error::Configuration`] when `IS_SNAPSHOTTING_ENABLED` is off;
    /// and what can go wrong in the store.
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

/// Whether an aggregate has come to, or past, the next multiple of the events after which a snapshot is taken, with the
/// events from version `first` on.
fn is_due<A: Aggregate>(first: u64, version: u64) -> bool {
    A::__SNAPSHOT_EVERY.is_some_and(|every| (first - 1) / every < version / every)
}

/// The snapshot of an aggregate whose events from version `first` on were, or are about to be, recorded; if one is due.
pub(crate) fn due<A: Aggregate>(
    application: &Application,
    aggregate: &A,
    first: u64,
) -> Option<StoredEvent> {
    let is_wanted = application.is_snapshotting() && !aggregate.__root().__is_entry();
    if !is_wanted || !is_due::<A>(first, aggregate.version()) {
        return None;
    }
    let snapshot = encode(application, aggregate)?;
    snapshot
        .inspect_err(|error| tracing::warn!(%error, "a snapshot is not taken"))
        .ok()
}

/// Writes snapshots of what is saved. The store is asked past the application's error handling: a failure here is no
/// failure of the save, nor of a policy on this thread.
pub(crate) fn record(application: &Application, snapshots: &[StoredEvent]) {
    for snapshot in snapshots {
        let recorded = application.recorder().and_then(|recorder| {
            let recorded = recorder.record_snapshot(snapshot);
            recorded.map_err(|error| Error::store(application.name(), error))
        });
        if let Err(error) = recorded {
            let (aggregate, version) = (&snapshot.originator_id, snapshot.originator_version);
            tracing::warn!(%aggregate, version, %error, "a snapshot is not taken");
        }
    }
}

/// What is stored of an aggregate: it as its newest snapshot has it, and the events behind that. Without one, all events.
pub(crate) type Stored<A> = (Option<A>, Vec<StoredEvent>);

/// Reads what is stored of an aggregate up to version `lte`.
pub(crate) fn stored<A: Aggregate>(
    application: &Application,
    id: &AggregateId,
    lte: Option<u64>,
) -> Result<Stored<A>> {
    if A::__STORES_STATE && application.is_snapshotting() {
        match with_snapshot(application, id, lte) {
            Ok(Some(stored)) => return Ok(stored),
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::BadData => {
                tracing::warn!(%error, "a snapshot is passed over, and the events are replayed");
            }
            Err(error) => return Err(error),
        }
    }
    let query = lte.map_or(EventQuery::all(), |lte| EventQuery::all().lte(lte));
    Ok((None, application.select_events(id, &query)?))
}

/// `None` if there is a snapshot, but no state can be made of one.
fn with_snapshot<A: Aggregate>(
    application: &Application,
    id: &AggregateId,
    lte: Option<u64>,
) -> Result<Option<Stored<A>>> {
    let read = application.recorder()?.select_history(id, lte);
    let history = read.map_err(
        |error| match Error::store(application.name(), error.clone()) {
            // It may be the snapshot that is damaged: that is no failure of the store.
            damaged if damaged.kind() == ErrorKind::BadData => damaged,
            _ => application.store_error(error),
        },
    )?;
    let Some(snapshot) = &history.snapshot else {
        return Ok(Some((None, history.events)));
    };
    let aggregate = decode(application, snapshot)?;
    Ok(aggregate.map(|aggregate| (Some(aggregate), history.events)))
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

/// Runs what a user's type does when it is stored or read. If that panics, it is an error, not a panic.
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
