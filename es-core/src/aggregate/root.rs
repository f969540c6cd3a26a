//! The root around the state of every aggregate.

use std::any::Any;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use crate::apply::{Apply, Create};
use crate::pending::Pending;
use crate::{Aggregate, AggregateId, EventPayload, PendingEvent, Timestamp, source};

/// A save whose outcome is unknown.
#[doc(hidden)]
pub type Attempt = Arc<dyn Any + Send + Sync + UnwindSafe + RefUnwindSafe>;

/// The identity, version, times, state and pending events of an aggregate.
///
/// Its fields are private, so no code in a user's module reaches the state mutably: a state changes
/// only by an event.
pub struct Root<A: Aggregate> {
    id: AggregateId,
    version: u64,
    created_on: Timestamp,
    modified_on: Timestamp,
    state: A::State,
    pending: Pending<A::Event>,
    /// The event whose body panicked. The state may be half changed, so it must not be saved.
    broken: Option<&'static str>,
    /// The save of pending events whose outcome is unknown, in a type of the crate that saves.
    in_doubt: Option<Attempt>,
    /// True if this is one event of a log, and not a state made by all its events.
    is_entry: bool,
}

impl<A: Aggregate> Root<A> {
    /// Returns the identity of the aggregate.
    pub fn id(&self) -> &AggregateId {
        &self.id
    }

    /// Returns the number of the last event.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Returns the time of the first event.
    pub fn created_on(&self) -> Timestamp {
        self.created_on
    }

    /// Returns the time of the last event.
    pub fn modified_on(&self) -> Timestamp {
        self.modified_on
    }

    /// Returns the fields that the user wrote, read-only.
    pub fn state(&self) -> &A::State {
        &self.state
    }

    /// Returns the events that were made but not saved, oldest first.
    pub fn pending_events(&self) -> &[PendingEvent<A::Event>] {
        self.pending.read()
    }

    /// Returns the state, and drops the rest.
    pub fn into_state(self) -> A::State {
        self.pending.mark_read();
        self.state
    }

    /// Counts the pending events as read: their command was refused.
    #[doc(hidden)]
    pub fn __refused(&self) {
        self.pending.mark_read();
    }

    /// Removes the pending events up to `version`, once they are saved.
    #[doc(hidden)]
    pub fn __saved_up_to(&mut self, version: u64) {
        self.pending.remove_up_to(version);
        self.in_doubt = None;
    }

    /// Sets the save of pending events whose outcome is unknown; `None` when it is known.
    #[doc(hidden)]
    pub fn __set_in_doubt(&mut self, attempt: Option<Attempt>) {
        self.in_doubt = attempt;
    }

    /// Returns the save of pending events whose outcome is unknown.
    #[doc(hidden)]
    pub fn __in_doubt(&self) -> Option<&Attempt> {
        self.in_doubt.as_ref()
    }

    /// Returns the event whose body panicked, if there is one. Then the state may be half changed.
    #[doc(hidden)]
    pub fn __broken_by(&self) -> Option<&'static str> {
        self.broken
    }

    /// Turns the first and only event of a new aggregate into the event `version` of the log `id`.
    /// It may be called again with another version. Returns false, and changes nothing, for any
    /// other aggregate, and while the outcome of saving the event is unknown.
    #[doc(hidden)]
    pub fn __number_in_log(&mut self, id: &AggregateId, version: u64) -> bool {
        let is_new = (self.is_entry || self.version == 1) && self.in_doubt.is_none();
        if !is_new {
            return false;
        }
        let Some(event) = self.pending.only_one_of(id) else {
            return false;
        };
        event.originator_version = version;
        self.id = id.clone();
        self.version = version;
        self.is_entry = true;
        true
    }

    /// Returns true if this is one event of a log. Its state then reflects no earlier events.
    #[doc(hidden)]
    pub fn __is_entry(&self) -> bool {
        self.is_entry
    }

    /// Returns the same aggregate without its pending events, or `None` if its state cannot be
    /// cloned or it is an event of a log.
    #[doc(hidden)]
    pub fn __clone_saved(&self) -> Option<Self> {
        let clone_state = A::__CLONE_STATE.filter(|_| !self.is_entry)?;
        Some(Self {
            id: self.id.clone(),
            version: self.version,
            created_on: self.created_on,
            modified_on: self.modified_on,
            state: clone_state(&self.state),
            pending: Pending::new(),
            broken: self.broken,
            in_doubt: None,
            is_entry: false,
        })
    }

    /// Creates an aggregate as it was saved at some version. The times are those of its first and
    /// last event.
    #[doc(hidden)]
    pub fn __restored(
        id: AggregateId,
        version: u64,
        [created_on, modified_on]: [Timestamp; 2],
        state: A::State,
    ) -> Self {
        Self {
            id,
            version,
            created_on,
            modified_on,
            state,
            pending: Pending::new(),
            broken: None,
            in_doubt: None,
            is_entry: false,
        }
    }

    /// Creates an aggregate whose first event is `payload`.
    pub(crate) fn create<P>(id: AggregateId, payload: P) -> Self
    where
        A::State: Create<P>,
        P: Into<A::Event>,
    {
        let timestamp = source::now();
        let state = A::State::create(&payload, timestamp);
        let first = PendingEvent {
            originator_version: 1,
            timestamp,
            payload: payload.into(),
        };
        let mut pending = Pending::new();
        pending.push(&id, first);
        Self {
            id,
            version: 1,
            created_on: timestamp,
            modified_on: timestamp,
            state,
            pending,
            broken: None,
            in_doubt: None,
            is_entry: false,
        }
    }

    /// Makes an event: applies it, numbers it, and keeps it as pending.
    pub(crate) fn trigger<P>(&mut self, payload: P)
    where
        A::State: Apply<P>,
        P: EventPayload + Into<A::Event>,
    {
        let timestamp = source::now();
        let before = self.broken;
        self.broken = before.or(Some(P::TOPIC));
        self.state.apply(&payload, timestamp);
        self.broken = before;
        self.advance(timestamp);
        let payload = payload.into();
        let event = PendingEvent {
            originator_version: self.version,
            timestamp,
            payload,
        };
        self.pending.push(&self.id, event);
    }

    /// Creates an aggregate whose first event was recorded.
    pub(crate) fn recorded(id: AggregateId, timestamp: Timestamp, state: A::State) -> Self {
        Self::__restored(id, 1, [timestamp, timestamp], state)
    }

    pub(crate) fn state_mut(&mut self) -> &mut A::State {
        &mut self.state
    }

    pub(crate) fn advance(&mut self, timestamp: Timestamp) {
        self.version += 1;
        self.modified_on = timestamp;
    }
}

/// A clone has the pending events too. If both are saved, the second save is a conflict, so no
/// event is lost.
impl<A: Aggregate> Clone for Root<A>
where
    A::State: Clone,
    A::Event: Clone,
{
    fn clone(&self) -> Self {
        Self {
            id: self.id.clone(),
            version: self.version,
            created_on: self.created_on,
            modified_on: self.modified_on,
            state: self.state.clone(),
            pending: self.pending.clone(),
            broken: self.broken,
            in_doubt: self.in_doubt.clone(),
            is_entry: self.is_entry,
        }
    }
}

/// Shows the aggregate without its pending events.
impl<A: Aggregate> fmt::Debug for Root<A>
where
    A::State: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root")
            .field("id", &self.id)
            .field("version", &self.version)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Two aggregates are equal when identity, version and state are.
impl<A: Aggregate> PartialEq for Root<A>
where
    A::State: PartialEq,
{
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.version == other.version && self.state == other.state
    }
}
