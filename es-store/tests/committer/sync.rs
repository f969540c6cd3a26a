//! The primitives of the hand-off, under a scheduler that tries interleavings.

use std::time::Instant;

use shuttle::rand::Rng;
use shuttle::thread;

use std::sync::PoisonError;

pub(super) use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard};

/// Waits for a wake-up. Time is not modelled: a deadline may be over at any moment.
pub(super) fn wait<'a, T>(
    wake: &Condvar,
    guard: MutexGuard<'a, T>,
    deadline: Option<Instant>,
) -> (MutexGuard<'a, T>, bool) {
    if deadline.is_some() && shuttle::rand::thread_rng().gen_bool(0.3) {
        // Meanwhile a leader may take the job, or be about to report its outcome.
        thread::yield_now();
        return (guard, true);
    }
    let woken = wake.wait(guard);
    (woken.unwrap_or_else(PoisonError::into_inner), false)
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
