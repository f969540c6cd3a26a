//! The locks of the hand-off, from the standard library. The test of all interleavings replaces
//! this file by the locks of a scheduler.

use std::time::Instant;

pub(super) use std::sync::{Arc, Condvar, Mutex, MutexGuard};

pub(super) use crate::sync::lock;

use std::sync::PoisonError;

/// Waits to be woken, at the latest until `deadline`. Returns true if the deadline has passed.
pub(super) fn wait<'a, T>(
    wake: &Condvar,
    guard: MutexGuard<'a, T>,
    deadline: Option<Instant>,
) -> (MutexGuard<'a, T>, bool) {
    let Some(deadline) = deadline else {
        let woken = wake.wait(guard);
        return (woken.unwrap_or_else(PoisonError::into_inner), false);
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let woken = wake.wait_timeout(guard, left);
    let (guard, waited) = woken.unwrap_or_else(PoisonError::into_inner);
    (guard, waited.timed_out())
}
