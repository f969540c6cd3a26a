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

/// The way back of an aggregate that was lent: it goes there when it is dropped, if no event was
/// made since.
#[doc(hidden)]
pub struct Loan<A: Aggregate> {
    /// The number by which the lender knows it.
    pub number: u64,
    /// Takes the aggregate back.
    pub give_back: fn(u64, Root<A>),
}

/// The identity, version, times, state and pending events of an aggregate.
///
/// Its fields are private, so no code in a user's module reaches the state mutably: a state changes
/// only by an event.
pub struct Root<A: Aggregate> {
    id: AggregateId,
    version: u64,
    created_on: Timestamp,
    modified_on: Timestamp,
    /// The state. It is `None` only for the moment in which the root is taken apart or dropped.
    state: Option<A::State>,
    pending: Pending<A::Event>,
    /// The event whose body panicked. The state may be half changed, so it must not be saved.
    broken: Option<&'static str>,
    /// The save of pending events whose outcome is unknown, in a type of the crate that saves.
    in_doubt: Option<Attempt>,
    /// True if this is one event of a log, and not a state made by all its events.
    is_entry: bool,
    /// True if it was loaded without its newest snapshot, whose fields are not those of the state.
    has_outdated_snapshot: bool,
    /// The way back to the one who has lent the aggregate. It ends with the next event, because the
    /// state is no longer the recorded one then.
    loan: Option<Loan<A>>,
    /// The number of whoever has loaded or lent it; `None` if it was only made.
    origin: Option<u64>,
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
        match &self.state {
            Some(state) => state,
            None => gone(),
        }
    }

    /// Returns the events that were made but not saved, oldest first.
    pub fn pending_events(&self) -> &[PendingEvent<A::Event>] {
        self.pending.read()
    }

    /// Returns the state, and drops the rest.
    pub fn into_state(mut self) -> A::State {
        self.pending.mark_read();
        match self.state.take() {
            Some(state) => state,
            None => gone(),
        }
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

    /// Has the aggregate go back to its lender when it is dropped. It has no pending events.
    #[doc(hidden)]
    pub fn __lend(&mut self, loan: Loan<A>) {
        self.origin = Some(loan.number);
        self.loan = Some(loan);
    }

    /// Sets the number of whoever has loaded it.
    #[doc(hidden)]
    pub fn __set_origin(&mut self, number: u64) {
        self.origin = Some(number);
    }

    /// Returns the number of whoever has loaded or lent it, or `None` if it was only made. Events
    /// do not change it, unlike the loan.
    #[doc(hidden)]
    pub fn __origin(&self) -> Option<u64> {
        self.origin
    }

    /// Records that the newest snapshot of the aggregate has other fields than its state.
    #[doc(hidden)]
    pub fn __set_outdated_snapshot(&mut self) {
        self.has_outdated_snapshot = true;
    }

    /// Returns true if the newest snapshot was outdated. The next call returns false.
    #[doc(hidden)]
    pub fn __take_outdated_snapshot(&mut self) -> bool {
        std::mem::take(&mut self.has_outdated_snapshot)
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
            state: Some(clone_state(self.state())),
            pending: Pending::new(),
            broken: self.broken,
            in_doubt: None,
            is_entry: false,
            has_outdated_snapshot: self.has_outdated_snapshot,
            loan: None,
            origin: self.origin,
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
            state: Some(state),
            pending: Pending::new(),
            broken: None,
            in_doubt: None,
            is_entry: false,
            has_outdated_snapshot: false,
            loan: None,
            origin: None,
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
            state: Some(state),
            pending,
            broken: None,
            in_doubt: None,
            is_entry: false,
            has_outdated_snapshot: false,
            loan: None,
            origin: None,
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
        self.state_mut().apply(&payload, timestamp);
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

    /// Returns the state to be changed by an event, which ends the loan.
    pub(crate) fn state_mut(&mut self) -> &mut A::State {
        self.loan = None;
        match &mut self.state {
            Some(state) => state,
            None => gone(),
        }
    }

    pub(crate) fn advance(&mut self, timestamp: Timestamp) {
        self.version += 1;
        self.modified_on = timestamp;
    }
}

/// Nobody has a root whose state is gone.
fn gone() -> ! {
    unreachable!("the state is there until the root is taken apart or dropped")
}

/// Gives a lent aggregate back.
impl<A: Aggregate> Drop for Root<A> {
    fn drop(&mut self) {
        let Some(loan) = self.loan.take() else { return };
        // A panic may have come from anywhere, so what it leaves behind is not used again.
        if std::thread::panicking() {
            return;
        }
        if let Some(state) = self.state.take() {
            let times = [self.created_on, self.modified_on];
            let mut root = Self::__restored(self.id.clone(), self.version, times, state);
            root.has_outdated_snapshot = self.has_outdated_snapshot;
            (loan.give_back)(loan.number, root);
        }
    }
}

/// A clone has the pending events too, and is not lent. If both are saved, the second save is a
/// conflict, so no event is lost.
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
            has_outdated_snapshot: self.has_outdated_snapshot,
            loan: None,
            origin: self.origin,
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
            .field("state", self.state())
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
