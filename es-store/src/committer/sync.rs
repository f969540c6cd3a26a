//! What the hand-off is made of: here the standard library's, in its test with every interleaving a scheduler's.

use std::time::Instant;

pub(super) use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use std::sync::PoisonError;

/// Waits to be woken, until `deadline` at the most; whether that is over.
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

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
