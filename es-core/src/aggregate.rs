//! The two halves of an aggregate: its state and its events.

mod root;

pub use self::root::{Attempt, Loan, Root};
use crate::debug_state::DebugState;
use crate::{
    AggregateId, EventSet, FieldError, FieldReader, FieldWriter, PendingEvent, StoredState,
    Timestamp,
};

/// The half of an aggregate that `#[aggregate]` on a struct creates: its state, and the root around
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

    /// The stored name of the aggregate, which is the prefix of its events' topics.
    const TOPIC: &'static str;

    /// The function that clones the state, if it can be cloned.
    #[doc(hidden)]
    #[allow(clippy::type_complexity, reason = "an alias would hide what it is")]
    const __CLONE_STATE: Option<fn(&Self::State) -> Self::State>;

    /// The function that shows the state for debugging, if there is one.
    #[doc(hidden)]
    const __DEBUG_STATE: Option<DebugState<Self::State>> = None;

    /// True if the state can be stored, so that snapshots can be taken.
    #[doc(hidden)]
    const __STORES_STATE: bool;

    /// The number of events after which a snapshot is taken; `None` if snapshots are taken only on
    /// request.
    #[doc(hidden)]
    const __SNAPSHOT_EVERY: Option<u64> = None;

    /// The version in which the state is stored.
    #[doc(hidden)]
    const __VERSION: u64 = 1;

    /// Writes the state to `fields`. Returns `None` if it cannot be stored.
    #[doc(hidden)]
    fn __put_state<W: FieldWriter>(
        state: &Self::State,
        fields: &mut W,
    ) -> Option<Result<(), FieldError>>;

    /// Reads a state from `fields`. Returns `None` if it cannot be stored.
    #[doc(hidden)]
    fn __take_state<R: FieldReader>(fields: &mut R) -> Option<Result<Self::State, FieldError>>;

    /// Returns the name of a stored field in which two states differ, as far as the fields can be
    /// compared.
    #[doc(hidden)]
    fn __changed_field(one: &Self::State, other: &Self::State) -> Option<&'static str> {
        let _ = (one, other);
        None
    }

    /// Converts the fields of a state from version `from` to the next version.
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
/// `#[aggregate]` on the struct and on its impl block implements it. It cannot be implemented by
/// hand, because only generated code creates the hidden parts. The methods concern the aggregate;
/// the fields of the state are read directly.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no events",
    label = "needs `#[aggregate]` on `impl {Self}`",
    note = "an aggregate has `#[aggregate]` on its struct and on one impl block; its state, its events and applications are none"
)]
pub trait Aggregate: HasState {
    /// The enum of all events of the aggregate.
    type Event: EventSet + Send + Sync;

    /// Returns the state that `event` creates, or `None` if it is not a creating event.
    #[doc(hidden)]
    fn __create(event: &Self::Event, timestamp: Timestamp) -> Option<Self::State>;

    /// Changes the state by `event`. Returns false, and changes nothing, for a creating event.
    #[doc(hidden)]
    fn __apply(state: &mut Self::State, event: &Self::Event, timestamp: Timestamp) -> bool;

    // The methods below win over a user's own methods of the state, which are reached by `Deref`.
    // One more method here would silently change the meaning of a call such as `order.total()`. So
    // none is added: later methods go to a trait of their own, which users import by name.

    /// Returns the identity of the aggregate, which never changes.
    fn id(&self) -> &AggregateId {
        self.__root().id()
    }

    /// Returns the version: the number of events so far, including pending ones.
    fn version(&self) -> u64 {
        self.__root().version()
    }

    /// Returns the time of the first event.
    fn created_on(&self) -> Timestamp {
        self.__root().created_on()
    }

    /// Returns the time of the last event.
    fn modified_on(&self) -> Timestamp {
        self.__root().modified_on()
    }

    /// Returns the events that were made but not saved, oldest first. A failed save keeps them. An
    /// aggregate that is dropped with events that were neither saved nor returned here is a
    /// warning.
    fn pending_events(&self) -> &[PendingEvent<Self::Event>] {
        self.__root().pending_events()
    }

    /// Returns the state, to which the aggregate derefs. A match on an enum needs this call: `match
    /// dog.state()`.
    fn state(&self) -> &Self::State {
        self.__root().state()
    }

    /// Returns the state. Identity, version and pending events are dropped.
    fn into_state(self) -> Self::State {
        self.__into_root().into_state()
    }
}
