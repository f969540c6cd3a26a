//! Events: the recorded changes of an aggregate.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use crate::{AggregateId, FieldError, FieldReader, FieldWriter, StoredState, Timestamp};

/// One kind of event: the parameters of one `#[event]` method, as owned fields.
///
/// `#[aggregate]` implements it for each payload struct that it creates.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event of an aggregate",
    label = "expected the struct that an `#[event(..)]` method makes, such as `DogTrickAdded`"
)]
pub trait EventPayload: Sized + 'static {
    /// The stored name: the topic of the aggregate, a dot, and the name of the event.
    const TOPIC: &'static str;

    /// The version in which the fields are written. It is 1, unless `#[event(.., version = 2)]`
    /// sets another one.
    const VERSION: u64 = 1;

    /// Writes the fields to `fields`, in the order of the method's parameters.
    ///
    /// # Errors
    /// Fails when a field cannot be written.
    fn encode<W: FieldWriter>(&self, fields: &mut W) -> Result<(), FieldError>;

    /// Reads the fields from `fields`.
    ///
    /// # Errors
    /// Fails when a field is missing or has another type.
    fn decode<R: FieldReader>(fields: &mut R) -> Result<Self, FieldError>;

    /// Returns the name of a field that differs from `other`, as far as the fields can be compared.
    #[doc(hidden)]
    fn __changed_field(&self, other: &Self) -> Option<&'static str> {
        let _ = other;
        None
    }

    /// Converts the fields of version `from` to the next version.
    ///
    /// # Errors
    /// Fails when the upcaster fails.
    fn upcast<S: StoredState>(from: u64, state: &mut S) -> Result<(), FieldError> {
        let _ = (from, state);
        Ok(())
    }
}

/// All events of one aggregate: the enum that `#[aggregate]` creates.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the events of an aggregate",
    label = "expected the enum that `#[aggregate]` makes, such as `DogEvent`"
)]
pub trait EventSet: Sized + 'static {
    /// The topics of all events, in the order of their methods.
    const TOPICS: &'static [&'static str];

    /// Returns the topic of this event.
    fn topic(&self) -> &'static str;

    /// Returns the version in which the fields of the event `topic` are written, or 1 if no event
    /// of this set has that topic.
    fn version(topic: &str) -> u64 {
        let _ = topic;
        1
    }

    /// Writes the fields of this event to `fields`.
    ///
    /// # Errors
    /// Fails when a field cannot be written.
    fn encode<W: FieldWriter>(&self, fields: &mut W) -> Result<(), FieldError>;

    /// Reads the event `topic` from `fields`. Returns `None` if no event of this set has that
    /// topic.
    fn decode<R: FieldReader>(topic: &str, fields: &mut R) -> Option<Result<Self, FieldError>>;

    /// Returns the name of a field that differs from `other`, as far as the fields can be compared.
    #[doc(hidden)]
    fn __changed_field(&self, other: &Self) -> Option<&'static str> {
        let _ = other;
        None
    }

    /// Converts the fields of the event `topic` from version `from` to the next version.
    ///
    /// # Errors
    /// Fails when the upcaster fails.
    fn upcast<S: StoredState>(topic: &str, from: u64, state: &mut S) -> Result<(), FieldError> {
        let _ = (topic, from, state);
        Ok(())
    }
}

/// The name of one kind of event of one aggregate, such as `Dog::TrickAdded`.
pub struct EventKind<A, P> {
    of: PhantomData<fn() -> (A, P)>,
}

impl<A, P: EventPayload> EventKind<A, P> {
    /// Returns the stored name of the event.
    pub const fn topic(&self) -> &'static str {
        P::TOPIC
    }
}

impl<A, P> EventKind<A, P> {
    #[doc(hidden)]
    pub const fn __new() -> Self {
        Self { of: PhantomData }
    }
}

impl<A, P> Clone for EventKind<A, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, P> Copy for EventKind<A, P> {}

impl<A, P: EventPayload> fmt::Debug for EventKind<A, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventKind").field(&P::TOPIC).finish()
    }
}

/// A recorded event, as policies receive it. It derefs to its payload: `event.trick`.
///
/// Two events are equal if they were recorded alike, whether they are replayed or not.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DomainEvent<P> {
    /// The aggregate that made the event.
    pub originator_id: AggregateId,
    /// The version of the aggregate after the event: 1 for the first event.
    pub originator_version: u64,
    /// The time at which the event was made.
    pub timestamp: Timestamp,
    /// The position of the event in the notification log of its application.
    pub notification_id: u64,
    /// The event itself.
    pub payload: P,
    /// True if the event was recorded before its follower began to follow.
    is_replay: bool,
}

impl<P> DomainEvent<P> {
    /// Creates an event as it was recorded.
    pub fn new(
        originator_id: AggregateId,
        originator_version: u64,
        timestamp: Timestamp,
        notification_id: u64,
        payload: P,
    ) -> Self {
        Self {
            originator_id,
            originator_version,
            timestamp,
            notification_id,
            payload,
            is_replay: false,
        }
    }

    /// Returns true if the event is from the past: it was recorded before the application that
    /// processes it began to follow, so it lies at or below the head that the log had then.
    ///
    /// A policy asks it to leave out effects that make sense only while an event is new, such as a
    /// mail. It is false for events that do not come from a follower.
    pub fn is_replay(&self) -> bool {
        self.is_replay
    }

    /// Sets what [`is_replay`](Self::is_replay) returns. Only a follower knows it.
    #[doc(hidden)]
    #[must_use]
    pub fn __replayed(self, is_replay: bool) -> Self {
        Self { is_replay, ..self }
    }
}

impl<P: PartialEq> PartialEq for DomainEvent<P> {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            originator_id,
            originator_version,
            timestamp,
            notification_id,
            payload,
            is_replay: _,
        } = self;
        *originator_id == other.originator_id
            && *originator_version == other.originator_version
            && *timestamp == other.timestamp
            && *notification_id == other.notification_id
            && *payload == other.payload
    }
}

impl<P> Deref for DomainEvent<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.payload
    }
}

/// An event that an aggregate has made and that is not saved yet.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PendingEvent<E> {
    /// The version of the aggregate after the event: 1 for the first event.
    pub originator_version: u64,
    /// The time at which the event was made.
    pub timestamp: Timestamp,
    /// The event itself.
    pub payload: E,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_new_unless_a_follower_tells_otherwise_and_that_changes_nothing_else() {
        let event = |position, payload: &'static str| {
            let time = Timestamp::from_micros(7);
            DomainEvent::new("Billy".into(), 1, time.expect("a time"), position, payload)
        };
        let new = event(1, "sit");
        assert!(!new.is_replay());
        let replayed = new.clone().__replayed(true);
        assert!(replayed.is_replay() && replayed.clone().is_replay());
        assert_eq!(replayed, new);
        assert_ne!(replayed, event(2, "sit").__replayed(true));
        assert_ne!(replayed, event(1, "roll").__replayed(true));
    }
}
