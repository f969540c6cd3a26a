//! Getting aggregates back: from the cache or a snapshot, and the events behind it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use es_core::__private::panic_message;
use es_core::{Aggregate, AggregateId, Replay, ReplayError};
use es_store::{Conflict, Decoded, EventQuery, StoredEvent};

use crate::application::batch;
use crate::application::cache::{Cache, Saved};
use crate::application::core::Application;
use crate::application::snapshots::{self, Stored};
use crate::error::DataProblem;
use crate::error::{Error, Result};

impl Application {
    /// The aggregates of the application. Inside a policy it shows what the policies of the batch have
    /// collected, too.
    pub fn repository(&self) -> Repository<'_> {
        Repository::new(self)
    }

    /// Whether the aggregate exists.
    ///
    /// # Errors
    /// When the id has not the form that the application keeps, or the store cannot be read.
    pub fn contains(&self, id: impl Into<AggregateId>) -> Result<bool> {
        let id = id.into();
        self.refuse_other_id_type(&id)?;
        if batch::of(self.instance()).is_some_and(|batch| batch.borrow().version_of(&id).is_some())
        {
            return Ok(true);
        }
        Ok(!self
            .select_events(&id, &EventQuery::all().limit(1))?
            .is_empty())
    }
}

/// The aggregates of an application, rebuilt from their events, or from a snapshot and the events behind it. With
/// `AGGREGATE_CACHE_MAXSIZE` it keeps those that were used last, and applies only the events that are new.
///
/// Inside a policy it shows, on the policy's thread, what the policies of the same batch have collected;
/// everyone else sees what is committed.
#[derive(Debug, Clone, Copy)]
pub struct Repository<'a> {
    application: &'a Application,
}

impl<'a> Repository<'a> {
    pub(crate) fn new(application: &'a Application) -> Self {
        Self { application }
    }

    /// The aggregate as it is now.
    ///
    /// # Errors
    /// [`Error::AggregateNotFound`] when there is none; [`Error::Configuration`] when the id has not the form that the
    /// application keeps, or another type has the aggregate's topic; [`Error::BadData`] when an event of it cannot be
    /// decoded or applied; and what can go wrong in the store.
    pub fn get<A: Aggregate>(&self, id: impl Into<AggregateId>) -> Result<A> {
        let id = id.into();
        self.load(&id, None)?
            .ok_or_else(|| self.not_found::<A>(id, None))
    }

    /// The aggregate as it is now; `None` when there is none.
    ///
    /// # Errors
    /// As [`get`](Self::get), but for `AggregateNotFound`.
    pub fn find<A: Aggregate>(&self, id: impl Into<AggregateId>) -> Result<Option<A>> {
        self.load(&id.into(), None)
    }

    /// The aggregate as it was after the event numbered `version`; the first event is 1.
    ///
    /// # Errors
    /// As [`get`](Self::get); `AggregateNotFound` also when it never had that version.
    pub fn get_at<A: Aggregate>(&self, id: impl Into<AggregateId>, version: u64) -> Result<A> {
        let id = id.into();
        let found = self.load::<A>(&id, Some(version))?;
        let found = found.filter(|aggregate| aggregate.__root().version() == version);
        found.ok_or_else(|| self.not_found::<A>(id, Some(version)))
    }

    fn load<A: Aggregate>(&self, id: &AggregateId, lte: Option<u64>) -> Result<Option<A>> {
        let application = self.application;
        application.claim_topic::<A>()?;
        application.refuse_other_id_type(id)?;
        let batch = batch::of(application.instance());
        if let (Some(batch), None) = (&batch, lte)
            && let Some(aggregate) = batch.borrow().aggregate::<A>(id)
        {
            return Ok(Some(aggregate));
        }
        let collected = batch.map_or_else(Vec::new, |batch| batch.borrow().events_of(id));
        // A past version, and one that is not committed yet, are not for the cache.
        match application.cache() {
            Some(cache) if lte.is_none() && collected.is_empty() => self.load_cached(cache, id),
            _ => {
                let stored = snapshots::stored(application, id, lte)?;
                self.rebuild(id, stored, lte, collected)
            }
        }
    }

    /// Loads what is committed: from what the cache has, which then has what was loaded.
    fn load_cached<A: Aggregate>(&self, cache: &Cache, id: &AggregateId) -> Result<Option<A>> {
        let cached: Option<A> = cache.get(id);
        if cached.is_some() && !cache.fast_forwards() {
            return Ok(cached);
        }
        let known = version_of(cached.as_ref());
        let stored = match cached {
            None => snapshots::stored(self.application, id, None)?,
            Some(cached) => {
                let behind = EventQuery::all().gt(known);
                (Some(cached), self.application.select_events(id, &behind)?)
            }
        };
        let loaded = self.rebuild(id, stored, None, Vec::new())?;
        if version_of(loaded.as_ref()) > known {
            let saved = loaded.as_ref().and_then(Saved::of);
            saved.into_iter().for_each(|saved| cache.put(saved));
        }
        Ok(loaded)
    }

    /// Applies the events that are stored, and those that were collected.
    fn rebuild<A: Aggregate>(
        &self,
        id: &AggregateId,
        (base, mut events): Stored<A>,
        lte: Option<u64>,
        collected: Vec<StoredEvent>,
    ) -> Result<Option<A>> {
        let last = events.last().map(|event| event.originator_version);
        self.refuse_overtaken(id, last.or(base.as_ref().map(A::version)), &collected)?;
        let wanted = |event: &StoredEvent| lte.is_none_or(|lte| event.originator_version <= lte);
        events.extend(collected.into_iter().filter(wanted));
        self.replay(id, base, &events)
    }

    /// Somebody saved the aggregate after a policy of this batch had collected it: the batch will not be
    /// recorded, and runs again.
    fn refuse_overtaken(
        &self,
        id: &AggregateId,
        stored: Option<u64>,
        collected: &[StoredEvent],
    ) -> Result<()> {
        let (Some(last), Some(first)) = (stored, collected.first()) else {
            return Ok(());
        };
        if last < first.originator_version {
            return Ok(());
        }
        let conflict = Conflict::new(id.clone(), first.originator_version);
        let error = self.application.store_error(conflict.into());
        batch::note(&error);
        Err(error)
    }

    fn replay<A: Aggregate>(
        &self,
        id: &AggregateId,
        base: Option<A>,
        events: &[StoredEvent],
    ) -> Result<Option<A>> {
        let name = self.application.name();
        let mut replay = base.map_or_else(|| Replay::new(id.clone()), Replay::resume);
        for event in events {
            let decoded = self.decode::<A>(event)?;
            replay
                .apply(
                    &event.originator_id,
                    event.originator_version,
                    decoded.timestamp,
                    &decoded.payload,
                )
                .map_err(|problem| {
                    Error::data(
                        name,
                        DataProblem::Replay {
                            id: id.clone(),
                            problem,
                        },
                    )
                })?;
        }
        Ok(replay.finish())
    }

    /// Decodes an event. A type of the user's that panics is an error, not a panic.
    pub(crate) fn decode<A: Aggregate>(&self, event: &StoredEvent) -> Result<Decoded<A::Event>> {
        let name = self.application.name();
        let decode = || self.application.mapper().decode::<A::Event>(event);
        match catch_unwind(AssertUnwindSafe(decode)) {
            Ok(decoded) => decoded.map_err(|problem| match other_aggregate::<A>(event) {
                Some(other) => Error::data(name, other),
                None => Error::data(name, problem),
            }),
            Err(panic) => {
                let problem = ReplayError::Panicked {
                    topic: event.topic.clone().into_owned(),
                    version: event.originator_version,
                    message: panic_message(panic),
                };
                let id = event.originator_id.clone();
                Err(Error::data(name, DataProblem::Replay { id, problem }))
            }
        }
    }

    fn not_found<A: Aggregate>(&self, id: AggregateId, version: Option<u64>) -> Error {
        let application = self.application.name().to_owned();
        Error::AggregateNotFound {
            application,
            aggregate: A::TOPIC,
            id,
            version,
        }
    }
}

/// What is wrong, if the topic of an event does not begin with that of the aggregate.
fn other_aggregate<A: Aggregate>(event: &StoredEvent) -> Option<DataProblem> {
    let own = event.topic.strip_prefix(A::TOPIC);
    if own.is_some_and(|rest| rest.starts_with('.')) {
        return None;
    }
    Some(DataProblem::OtherAggregate {
        id: event.originator_id.clone(),
        topic: event.topic.clone().into_owned(),
        asked: A::TOPIC,
    })
}

/// The version of an aggregate; 0 if it is not there.
fn version_of<A: Aggregate>(aggregate: Option<&A>) -> u64 {
    aggregate.map_or(0, A::version)
}
