//! The function that shows a state for debugging, where there is one.

use std::fmt;
use std::marker::PhantomData;

/// The function that shows a state for debugging.
pub type DebugState<S> = fn(&S, &mut fmt::Formatter<'_>) -> fmt::Result;

/// Finds at compile time if a state can be shown for debugging, by an inherent constant that wins
/// over the trait's when its bound holds.
pub struct DebugProbe<S>(PhantomData<S>);

impl<S: fmt::Debug> DebugProbe<S> {
    /// The function that shows the state.
    pub const DEBUG: Option<DebugState<S>> = Some(<S as fmt::Debug>::fmt);
}

/// The fallback of [`DebugProbe`].
pub trait CannotDebug<S> {
    /// No function, as the state cannot be shown.
    const DEBUG: Option<DebugState<S>> = None;
}

impl<S> CannotDebug<S> for DebugProbe<S> {}
