//! Event-sourced logs: events that are appended and read, and never replayed.

use std::fmt;
use std::marker::PhantomData;

use es_core::{Aggregate, AggregateId, Timestamp};
use es_store::{EventQuery, StoredEvent};

use crate::application::batch;
use crate::application::core::Application;
use crate::application::tries::Tries;
use crate::error::{Error, ErrorKind, Result};

/// A sequence of events that is not replayed into a state, so it may grow without end: a list of all dogs, for example.
///
/// Its events are those that create the aggregate `A`, an aggregate for this alone. They are stored as the `EventSourcedLog` of
/// the Python library `eventsourcing` stores its own, from which the idea comes, and policies follow them as any other.
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
    /// When the event was made.
    pub timestamp: Timestamp,
    /// What happened.
    pub payload: E,
}

impl Application {
    /// The log with this id, which may have no event yet.
    pub fn log<A: Aggregate>(&self, id: impl Into<AggregateId>) -> Log<'_, A> {
        Log {
            application: self,
            id: id.into(),
            of: PhantomData,
        }
    }
}

impl<A: Aggregate> Log<'_, A> {
    /// Appends an event and saves it; says which number it has. Of two who append at once one is second and goes behind the
    /// other.
    ///
    /// # Errors
    /// As [`Application::execute`] and [`trigger_event`](Self::trigger_event).
    pub fn append(&self, event: A) -> Result<u64> {
        self.application.refuse_inside_policy(
            "append",
            "make the event with `trigger_event`, and hand it to `processing_event.collect_events(..)`",
        )?;
        let (mut event, mut tries) = (event, Tries::new());
        loop {
            event = self.trigger_event(event)?;
            match self
                .application
                .save_again_if_in_doubt(&mut event, &mut tries)
            {
                Ok(()) => return Ok(event.version()),
                Err(error) if error.kind() == ErrorKind::Conflict && tries.pause() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes `event` the next one and does not save it. It is saved with others, `app.save((&mut dog, &mut event))`, or handed to
    /// `collect_events` inside a policy. Until then, no other is made: it would have the same number, which is a conflict.
    ///
    /// # Errors
    /// [`Error::Usage`] when `event` is not what an `#[event]` method without `self` has just returned;
    /// [`Error::Configuration`] when the id has not the form that the application keeps, or another type has the topic of `A`;
    /// and when the store cannot be read.
    pub fn trigger_event(&self, event: A) -> Result<A> {
        let mut event = event;
        if event
            .__root_mut()
            .__number_in_log(&self.id, self.version()? + 1)
        {
            return Ok(event);
        }
        Err(Error::Usage(format!(
            "{}: what is appended to the log {} of `{}` is one new event, and this has version {} and {} pending events",
            self.application.name(),
            self.id,
            A::TOPIC,
            event.version(),
            event.pending_events().len()
        )))
    }

    /// The events that `query` asks for. Inside a policy those that the batch has collected are among them.
    ///
    /// # Errors
    /// [`Error::BadData`] when an event cannot be decoded, and as
    /// [`trigger_event`](Self::trigger_event).
    pub fn get(&self, query: &EventQuery) -> Result<Vec<LoggedEvent<A::Event>>> {
        let events = self.select(query)?;
        events.iter().map(|event| self.decode(event)).collect()
    }

    /// The first event; `None` if there is none.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_first(&self) -> Result<Option<LoggedEvent<A::Event>>> {
        Ok(self.get(&EventQuery::all().limit(1))?.pop())
    }

    /// The last event; `None` if there is none.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_last(&self) -> Result<Option<LoggedEvent<A::Event>>> {
        Ok(self.get(&EventQuery::all().desc().limit(1))?.pop())
    }

    /// How many events there are.
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
        let mut events = match query.desc {
            false => [stored, collected].concat(),
            true => {
                collected.reverse();
                [collected, stored].concat()
            }
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
