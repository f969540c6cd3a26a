//! The lock of the single-threaded runner.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use es_store::sync;

use crate::runner;

/// The lock that the working thread holds. Unlike a mutex, it can be waited for with a limit.
#[derive(Default)]
pub(super) struct WorkLock {
    held: Mutex<bool>,
    released: Condvar,
}

/// Releases the work lock when it is dropped.
pub(super) struct WorkGuard<'a>(&'a WorkLock);

impl WorkLock {
    /// Takes the lock. Returns `None` after `limit`, or when `give_up` returns true.
    pub(super) fn take_within(
        &self,
        limit: Duration,
        give_up: impl Fn() -> bool,
    ) -> Option<WorkGuard<'_>> {
        let deadline = runner::deadline(limit);
        let mut held = sync::lock(&self.held);
        while *held {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || give_up() {
                return None;
            }
            let waited = self.released.wait_timeout(held, left);
            held = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *held = true;
        Some(WorkGuard(self))
    }

    /// Wakes all threads that wait for the lock, so that they check whether to give up.
    pub(super) fn wake_all(&self) {
        let _lock = sync::lock(&self.held);
        self.released.notify_all();
    }
}

impl Drop for WorkGuard<'_> {
    fn drop(&mut self) {
        *sync::lock(&self.0.held) = false;
        self.0.released.notify_one();
    }
}
