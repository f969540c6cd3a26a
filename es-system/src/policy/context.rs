//! What policies work on: a processing event that collects new events, or the transaction of a projection.

/// What policies work on.
pub trait Context: Sized + 'static {
    /// What is handed to each of them.
    type Of<'t>;

    /// What a dispatch table keeps beside the policies.
    type Setup: Default;
}

/// New events are collected.
pub struct Collecting;
