//! Loads aggregates: from the cache or a snapshot, and the events behind it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use es_core::__private::panic_message;
use es_core::{Aggregate, AggregateId, ReplayError};
use es_store::{Decoded, EventQuery, StoredEvent};

use crate::application::batch;
use crate::application::cache::{Cache, CachedAggregate};
use crate::application::core::Application;
use crate::application::loading::Loading;
use crate::application::store_errors;
use crate::error::DataProblem;
use crate::error::{Error, Result};

impl Application {
    /// Returns the aggregates of the application. Inside a policy they include the events that the
    /// policies of the batch have collected.
    pub fn repository(&self) -> Repository<'_> {
        Repository::new(self)
    }

    /// Returns true if the aggregate exists.
    ///
    /// # Errors
    /// Fails if the application keeps ids of the other type or the store cannot be read.
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

/// The aggregates of an application, rebuilt from their events, or from a snapshot and the events
/// behind it. With `AGGREGATE_CACHE_MAXSIZE` it keeps the most recently used ones, and applies only
/// newer events to them.
///
/// Inside a policy, on the policy's thread, it includes the events that the policies of the same
/// batch have collected. All other threads see committed events only.
#[derive(Debug, Clone, Copy)]
pub struct Repository<'a> {
    application: &'a Application,
}

impl<'a> Repository<'a> {
    pub(crate) fn new(application: &'a Application) -> Self {
        Self { application }
    }

    /// Returns the aggregate in its current state.
    ///
    /// # Errors
    /// Returns [`Error::AggregateNotFound`] if there is none, [`Error::Configuration`] if the
    /// application keeps ids of the other type or if another type has the aggregate's topic, and
    /// [`Error::BadData`] if an event of it cannot be decoded or applied. Fails if the store cannot
    /// be read.
    pub fn get<A: Aggregate>(&self, id: impl Into<AggregateId>) -> Result<A> {
        let id = id.into();
        self.load(&id, None)?
            .ok_or_else(|| self.not_found::<A>(id, None))
    }

    /// Returns the aggregate in its current state, or `None` if there is none.
    ///
    /// # Errors
    /// Fails as [`get`](Self::get) does, except for `AggregateNotFound`.
    pub fn find<A: Aggregate>(&self, id: impl Into<AggregateId>) -> Result<Option<A>> {
        self.load(&id.into(), None)
    }

    /// Returns the aggregate in the state after the event numbered `version`; the first event is 1.
    ///
    /// # Errors
    /// Fails as [`get`](Self::get) does. `AggregateNotFound` is also returned if the aggregate
    /// never had that version.
    pub fn get_at<A: Aggregate>(&self, id: impl Into<AggregateId>, version: u64) -> Result<A> {
        let id = id.into();
        let found = self.load::<A>(&id, Some(version))?;
        let found = found.filter(|aggregate| aggregate.__root().version() == version);
        found.ok_or_else(|| self.not_found::<A>(id, Some(version)))
    }

    fn load<A: Aggregate>(&self, id: &AggregateId, lte: Option<u64>) -> Result<Option<A>> {
        let call = store_errors::load_of(self.application.instance(), id);
        store_errors::mending(call, || self.load_once(id, lte))
    }

    fn load_once<A: Aggregate>(&self, id: &AggregateId, lte: Option<u64>) -> Result<Option<A>> {
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
        // The cache holds neither past versions nor uncommitted ones.
        match application.cache() {
            Some(cache) if lte.is_none() && collected.is_empty() => self.load_cached(cache, id),
            _ => Loading {
                application,
                id,
                lte,
                collected,
            }
            .run(None),
        }
    }

    /// Loads the committed state, starting from the cache, and caches the result.
    fn load_cached<A: Aggregate>(&self, cache: &Cache, id: &AggregateId) -> Result<Option<A>> {
        let cached: Option<A> = cache.get(id);
        if cached.is_some() && !cache.fast_forwards() {
            return Ok(cached);
        }
        let known = version_of(cached.as_ref());
        let loading = Loading {
            application: self.application,
            id,
            lte: None,
            collected: Vec::new(),
        };
        let loaded = loading.run(cached)?;
        if version_of(loaded.as_ref()) > known {
            let saved = loaded.as_ref().and_then(CachedAggregate::of);
            saved.into_iter().for_each(|saved| cache.put(saved));
        }
        Ok(loaded)
    }

    /// Decodes an event. A panic in a type of the user's becomes an error.
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

/// Returns the problem if the topic of an event does not begin with that of the aggregate.
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

/// Returns the version of an aggregate, or 0 if there is none.
fn version_of<A: Aggregate>(aggregate: Option<&A>) -> u64 {
    aggregate.map_or(0, A::version)
}
