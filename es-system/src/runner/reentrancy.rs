//! The single-threaded runners that work on a thread.

use std::cell::RefCell;

thread_local! {
    /// The runners that work on this thread. There is more than one if a policy drives another
    /// system.
    static WORKING: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Marks a runner as working on this thread until it is dropped.
pub(super) struct ReentrancyGuard;

impl ReentrancyGuard {
    /// Marks a runner.
    pub(super) fn begin(instance: u64) -> Self {
        WORKING.with_borrow_mut(|working| working.push(instance));
        Self
    }

    /// Returns true if this runner works on this thread.
    pub(super) fn on_this_thread(instance: u64) -> bool {
        WORKING.with_borrow(|working| working.contains(&instance))
    }
}

impl Drop for ReentrancyGuard {
    fn drop(&mut self) {
        WORKING.with_borrow_mut(|working| working.pop());
    }
}
