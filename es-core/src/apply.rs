//! The bodies of event methods, as generated code passes them to a root.

use crate::timestamp::Timestamp;

/// The body of an `#[event]` method with `&mut self`, applied to the state.
pub trait Apply<P> {
    /// Changes the state by `event`.
    fn apply(&mut self, event: &P, timestamp: Timestamp);
}

/// The body of an `#[event]` method that returns `Self`.
pub trait Create<P>: Sized {
    /// Returns the state that `event` creates.
    fn create(event: &P, timestamp: Timestamp) -> Self;
}
