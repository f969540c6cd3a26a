//! Loads aggregates: from memory, from the cache or from a snapshot, and the events behind it.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Instant;

use es_core::__private::panic_message;
use es_core::{Aggregate, AggregateId, ReplayError};
use es_store::{Decoded, EventQuery, StoredEvent};

use crate::application::batch::{self, Batch};
use crate::application::cache::CachedAggregate;
use crate::application::core::Application;
use crate::application::kept::{Load, Size};
use crate::application::lending::{self, Found};
use crate::application::loading::{Loaded, Loading};
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
        let instance = self.application.instance();
        let call = store_errors::load_of(instance, id);
        store_errors::mending(call, || self.load_once(id, lte))
    }

    fn load_once<A: Aggregate>(&self, id: &AggregateId, lte: Option<u64>) -> Result<Option<A>> {
        let application = self.application;
        application.claim_topic::<A>()?;
        application.refuse_other_id_type(id)?;
        match (batch::of(application.instance()), lte) {
            (Some(batch), None) => self.load_for_a_policy(id, &batch),
            (Some(batch), _) => {
                let collected = batch.borrow().events_of(id);
                let loaded = self.loading(id, lte, collected).run(None)?;
                Ok(loaded.aggregate)
            }
            (None, None) => {
                let mut aggregate: Option<A> = self.load_committed(id)?.0.aggregate;
                if let Some(aggregate) = &mut aggregate {
                    aggregate.__root_mut().__set_origin(application.instance());
                }
                Ok(aggregate)
            }
            (None, _) => Ok(self.loading(id, lte, Vec::new()).run(None)?.aggregate),
        }
    }

    /// Loads an aggregate for a policy: from memory, or as others load it, with the events behind
    /// that the batch has collected.
    fn load_for_a_policy<A: Aggregate>(
        &self,
        id: &AggregateId,
        batch: &Rc<RefCell<Batch>>,
    ) -> Result<Option<A>> {
        let base = match lending::take(self.application, batch, id)? {
            Found::Current(aggregate) => return Ok(Some(aggregate)),
            Found::Behind(aggregate) => Some(aggregate),
            Found::Nothing => None,
        };
        let started = Instant::now();
        let version = version_of(base.as_ref());
        let collected = batch.borrow().events_of(id);
        let (mut loaded, size) = if base.is_none() && collected.is_empty() {
            self.load_committed(id)?
        } else {
            let loaded = self.loading(id, None, collected).run(base)?;
            let size = Size::of(loaded.bytes);
            (loaded, Some(size))
        };
        match (&mut loaded.aggregate, size) {
            (Some(aggregate), Some(size)) => {
                let load = Load {
                    base: version,
                    size,
                    time: started.elapsed(),
                };
                lending::lend(batch, aggregate, &load);
            }
            (Some(aggregate), None) => lending::mark(batch, aggregate),
            (None, _) => {}
        }
        Ok(loaded.aggregate)
    }

    /// Loads the committed state, starting from the cache, and caches the result. Returns its size,
    /// or `None` if it may be older than the record.
    fn load_committed<A: Aggregate>(&self, id: &AggregateId) -> Result<(Loaded<A>, Option<Size>)> {
        let loading = self.loading(id, None, Vec::new());
        let Some(cache) = self.application.cache() else {
            let loaded = loading.run(None)?;
            let size = Size::of(loaded.bytes);
            return Ok((loaded, Some(size)));
        };
        let cached: Option<A> = cache.get(id);
        if cached.is_some() && !cache.fast_forwards() {
            let loaded = Loaded {
                aggregate: cached,
                bytes: 0,
            };
            return Ok((loaded, None));
        }
        let known = version_of(cached.as_ref());
        let loaded = loading.run(cached)?;
        let size = match known {
            0 => Size::of(loaded.bytes),
            _ => Size::of_version(version_of(loaded.aggregate.as_ref())),
        };
        let root = loaded.aggregate.as_ref().map(A::__root);
        if root.is_some_and(|root| root.version() > known) {
            let saved = root.and_then(CachedAggregate::of);
            saved.into_iter().for_each(|saved| cache.put(saved));
        }
        Ok((loaded, Some(size)))
    }

    fn loading<'l>(
        &'l self,
        id: &'l AggregateId,
        lte: Option<u64>,
        collected: Vec<StoredEvent>,
    ) -> Loading<'l> {
        Loading {
            application: self.application,
            id,
            lte,
            collected,
        }
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
