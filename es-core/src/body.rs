//! The bodies of event methods, on the state.

use crate::timestamp::Timestamp;

/// The body of an `#[event]` method with `&mut self`, on the state.
pub trait Apply<P> {
    /// Changes the state by `event`.
    fn apply(&mut self, event: &P, timestamp: Timestamp);
}

/// The body of an `#[event]` method that returns `Self`, on the state.
pub trait Create<P>: Sized {
    /// The state that `event` creates.
    fn create(event: &P, timestamp: Timestamp) -> Self;
}
