//! The two halves of an aggregate: its state and its events.

use crate::{
    AggregateId, EventSet, FieldError, FieldReader, FieldWriter, PendingEvent, Root, StoredState,
    Timestamp,
};

/// The half of an aggregate that `#[aggregate]` on a struct makes: its state, and the root around
/// it.
///
/// Never implement it yourself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an aggregate",
    label = "needs `#[aggregate]` on `struct {Self}`"
)]
pub trait HasState: Sized + 'static {
    /// The fields that the user wrote.
    type State: Send + Sync + 'static;

    /// The stored name of the aggregate, with which the topics of its events begin.
    const TOPIC: &'static str;

    /// The function that clones the state, if it can be cloned.
    #[doc(hidden)]
    #[allow(clippy::type_complexity, reason = "an alias would hide what it is")]
    const __CLONE_STATE: Option<fn(&Self::State) -> Self::State>;

    /// True if the state can be stored, so that snapshots can be taken.
    #[doc(hidden)]
    const __STORES_STATE: bool;

    /// After how many events a snapshot is taken; `None` if it never is without being asked for.
    #[doc(hidden)]
    const __SNAPSHOT_EVERY: Option<u64> = None;

    /// The version in which the state is stored.
    #[doc(hidden)]
    const __VERSION: u64 = 1;

    /// Gives the state to `fields`; `None` if it cannot be stored.
    #[doc(hidden)]
    fn __put_state<W: FieldWriter>(
        state: &Self::State,
        fields: &mut W,
    ) -> Option<Result<(), FieldError>>;

    /// Takes a state from `fields`; `None` if it cannot be stored.
    #[doc(hidden)]
    fn __take_state<R: FieldReader>(fields: &mut R) -> Option<Result<Self::State, FieldError>>;

    /// Makes of the fields of a state in version `from` those of the next one.
    #[doc(hidden)]
    fn __upcast<S: StoredState>(from: u64, state: &mut S) -> Result<(), FieldError> {
        let _ = (from, state);
        Ok(())
    }

    #[doc(hidden)]
    fn __root(&self) -> &Root<Self>
    where
        Self: Aggregate;

    #[doc(hidden)]
    fn __root_mut(&mut self) -> &mut Root<Self>
    where
        Self: Aggregate;

    #[doc(hidden)]
    fn __from_root(root: Root<Self>) -> Self
    where
        Self: Aggregate;

    #[doc(hidden)]
    fn __into_root(self) -> Root<Self>
    where
        Self: Aggregate;
}

/// An event-sourced aggregate: a state that changes only by events.
///
/// `#[aggregate]` on the struct and on its impl block implements it; it cannot be implemented by
/// hand, since only generated code makes the hidden parts. The methods are about the aggregate; the
/// fields of the state are reached directly, to read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no events",
    label = "needs `#[aggregate]` on `impl {Self}`",
    note = "an aggregate has `#[aggregate]` on its struct and on one impl block; its state, its events and applications are none"
)]
pub trait Aggregate: HasState {
    /// The enum of all events of the aggregate.
    type Event: EventSet + Send + Sync;

    /// The state that `event` creates; `None` if it is no creating event.
    #[doc(hidden)]
    fn __create(event: &Self::Event, timestamp: Timestamp) -> Option<Self::State>;

    /// Changes the state by `event`; `false` if it is a creating event, which changes nothing.
    #[doc(hidden)]
    fn __apply(state: &mut Self::State, event: &Self::Event, timestamp: Timestamp) -> bool;

    // The methods below win over a user's own methods of the state, which are reached by `Deref`:
    // one more here would silently change the meaning of an `order.total()`. So none is added; what
    // comes later goes on a trait of its own that a user imports by name.

    /// The identity of the aggregate, which never changes.
    fn id(&self) -> &AggregateId {
        self.__root().id()
    }

    /// The number of events that the aggregate has had, pending ones included; the first is 1.
    fn version(&self) -> u64 {
        self.__root().version()
    }

    /// When the first event was made.
    fn created_on(&self) -> Timestamp {
        self.__root().created_on()
    }

    /// When the last event was made.
    fn modified_on(&self) -> Timestamp {
        self.__root().modified_on()
    }

    /// The events that were made and not saved, oldest first. A failed save keeps them.
    fn pending_events(&self) -> &[PendingEvent<Self::Event>] {
        self.__root().pending_events()
    }

    /// The state, to read: what the aggregate derefs to. Matching on an enum needs it: `match
    /// dog.state()`.
    fn state(&self) -> &Self::State {
        self.__root().state()
    }

    /// Gives the state away; identity, version and pending events are dropped.
    fn into_state(self) -> Self::State {
        self.__into_root().into_state()
    }
}
