//! Event-sourced logs: append-only lists of events that are read, never replayed.

use std::fmt;
use std::marker::PhantomData;

use es_core::{Aggregate, AggregateId, Timestamp};
use es_store::{EventQuery, StoredEvent};

use crate::application::batch;
use crate::application::core::Application;
use crate::application::store_errors;
use crate::application::tries::Tries;
use crate::error::{Error, ErrorKind, Result};

/// An append-only list of events that are read, never replayed into a state, so it may grow without
/// end. A list of all dogs is an example.
///
/// Its events are the creating events of the aggregate `A`, a type that exists for the log alone.
/// They are stored in the form of the `EventSourcedLog` of the Python library `eventsourcing`, from
/// which the idea comes. Policies can follow them like any other event.
///
/// ```
/// use es_system::prelude::*;
///
/// /// The log of all dogs.
/// #[aggregate]
/// pub struct Dogs;
///
/// #[aggregate]
/// impl Dogs {
///     #[id]
///     pub fn create_id() -> Uuid {
///         Uuid::new_v5(&Uuid::NAMESPACE_URL, b"/dogs")
///     }
///
///     #[event(Registered)]
///     pub fn registered(dog: &str) -> Self {
///         Self
///     }
/// }
///
/// # #[application]
/// # pub struct DogSchool;
/// # let school = DogSchool::new(Env::new())?;
/// let dogs = school.log::<Dogs>(Dogs::create_id());
/// for dog in ["Billy", "Milly", "Scrappy"] {
///     dogs.append(Dogs::registered(dog))?;
/// }
/// let newest = dogs.get(&EventQuery::all().desc().limit(2))?;
/// let newest: Vec<_> = newest.iter().map(|event| match &event.payload {
///     DogsEvent::Registered(registered) => (event.originator_version, &*registered.dog),
/// }).collect();
/// assert_eq!(newest, [(3, "Scrappy"), (2, "Milly")]);
/// # Ok::<(), Error>(())
/// ```
pub struct Log<'a, A> {
    application: &'a Application,
    id: AggregateId,
    of: PhantomData<fn() -> A>,
}

/// An event of a log, as it was recorded.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LoggedEvent<E> {
    /// The number of the event in its log; the first is 1.
    pub originator_version: u64,
    /// The time at which the event was made.
    pub timestamp: Timestamp,
    /// The event itself.
    pub payload: E,
}

impl Application {
    /// Returns the log with this id, which may have no event yet.
    pub fn log<A: Aggregate>(&self, id: impl Into<AggregateId>) -> Log<'_, A> {
        Log {
            application: self,
            id: id.into(),
            of: PhantomData,
        }
    }
}

impl<A: Aggregate> Log<'_, A> {
    /// Appends an event, saves it, and returns its number. If two writers append at once, both
    /// events are kept, one after the other.
    ///
    /// # Errors
    /// Fails as [`Application::execute`] and [`trigger_event`](Self::trigger_event) do.
    pub fn append(&self, event: A) -> Result<u64> {
        self.application.refuse_inside_policy(
            "append",
            "make the event with `trigger_event`, and hand it to `processing_event.collect_events(..)`",
        )?;
        let mut event = event;
        let mut tries = Tries::new();
        let began = store_errors::now();
        loop {
            event = self
                .trigger_event(event)
                .map_err(|error| tries.failed(error))?;
            match self
                .application
                .save_again_if_in_doubt(&mut event, &mut tries)
            {
                Ok(()) => return Ok(event.version()),
                Err(error) if error.kind() == ErrorKind::Conflict && tries.pause() => {
                    store_errors::mended_since(began);
                }
                Err(error) => return Err(tries.failed(error)),
            }
        }
    }

    /// Gives `event` the next number without saving it. Save it together with aggregates,
    /// `app.save((&mut dog, &mut event))`, or hand it to `collect_events` inside a policy. Save it
    /// before you make another: that one would have the same number, which is a conflict.
    ///
    /// # Errors
    /// Returns [`Error::Usage`] if `event` does not come directly from an `#[event]` method without
    /// `self`, and [`Error::Configuration`] if the application keeps ids of the other type or if
    /// another type has the topic of `A`. Fails if the store cannot be read.
    pub fn trigger_event(&self, event: A) -> Result<A> {
        let mut event = event;
        if event.__root().__in_doubt().is_some() {
            return Err(Error::Usage(format!(
                "{}: it is unknown whether this event of the log {} was saved with number {}, so it gets no other: \
                 save it again, or settle the doubt of the error",
                self.application.name(),
                self.id,
                event.version()
            )));
        }
        if event
            .__root_mut()
            .__number_in_log(&self.id, self.version()? + 1)
        {
            return Ok(event);
        }
        Err(Error::Usage(format!(
            "{}: only one new event can be appended to the log {} of `{}`, and this has version {} and {} pending events",
            self.application.name(),
            self.id,
            A::TOPIC,
            event.version(),
            event.pending_events().len()
        )))
    }

    /// Returns the events that match `query`. Inside a policy they include those that the batch has
    /// collected.
    ///
    /// # Errors
    /// Returns [`Error::BadData`] if an event cannot be decoded. Fails as
    /// [`trigger_event`](Self::trigger_event) does.
    pub fn get(&self, query: &EventQuery) -> Result<Vec<LoggedEvent<A::Event>>> {
        let events = self.select(query)?;
        events.iter().map(|event| self.decode(event)).collect()
    }

    /// Returns the first event, or `None` if there is none.
    ///
    /// # Errors
    /// Fails as [`get`](Self::get) does.
    pub fn get_first(&self) -> Result<Option<LoggedEvent<A::Event>>> {
        Ok(self.get(&EventQuery::all().limit(1))?.pop())
    }

    /// Returns the last event, or `None` if there is none.
    ///
    /// # Errors
    /// Fails as [`get`](Self::get) does.
    pub fn get_last(&self) -> Result<Option<LoggedEvent<A::Event>>> {
        Ok(self.get(&EventQuery::all().desc().limit(1))?.pop())
    }

    /// Returns the number of events.
    fn version(&self) -> Result<u64> {
        let last = self.select(&EventQuery::all().desc().limit(1))?;
        Ok(last.first().map_or(0, |event| event.originator_version))
    }

    fn select(&self, query: &EventQuery) -> Result<Vec<StoredEvent>> {
        self.application.claim_topic::<A>()?;
        self.application.refuse_other_id_type(&self.id)?;
        let stored = self.application.select_events(&self.id, query)?;
        let Some(batch) = batch::of(self.application.instance()) else {
            return Ok(stored);
        };
        let is_wanted = |event: &StoredEvent| {
            let version = event.originator_version;
            query.gt.is_none_or(|gt| version > gt) && query.lte.is_none_or(|lte| version <= lte)
        };
        let mut collected = batch.borrow().events_of(&self.id);
        collected.retain(is_wanted);
        let mut events = if query.desc {
            collected.reverse();
            [collected, stored].concat()
        } else {
            [stored, collected].concat()
        };
        events.truncate(query.limit);
        Ok(events)
    }

    fn decode(&self, event: &StoredEvent) -> Result<LoggedEvent<A::Event>> {
        let decoded = self.application.repository().decode::<A>(event)?;
        Ok(LoggedEvent {
            originator_version: event.originator_version,
            timestamp: decoded.timestamp,
            payload: decoded.payload,
        })
    }
}

impl<A> fmt::Debug for Log<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("application", &self.application.name())
            .field("id", &self.id)
            .finish()
    }
}
