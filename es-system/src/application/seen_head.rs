//! The highest position of a log that a process has seen.
//!
//! Concurrency: the highest position that was seen is read before the store is. A reader that has
//! seen a position is never shown a lower one later, nor does a later save get one. So whatever the
//! other threads do meanwhile, a lower position means that the log went back.

use std::sync::atomic::{AtomicU64, Ordering};

/// The highest position of a log that was seen.
#[derive(Debug, Default)]
pub(crate) struct SeenHead(AtomicU64);

impl SeenHead {
    /// Returns the position; 0 if none was seen.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Records a position that was read after `before` was. Returns true if the log went back,
    /// because an earlier one is higher.
    pub(crate) fn see(&self, before: u64, position: u64) -> bool {
        if position < before {
            self.0.store(position, Ordering::SeqCst);
            return true;
        }
        self.0.fetch_max(position, Ordering::SeqCst);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_goes_back_only_below_what_was_seen_before_it_was_read() {
        let seen = SeenHead::default();
        assert!(!seen.see(0, 7));
        // Another thread has seen a later position while this one was read.
        assert!(!seen.see(5, 6));
        assert_eq!(seen.get(), 7);
        assert!(!seen.see(7, 7));
        assert!(seen.see(7, 4));
        assert_eq!(seen.get(), 4);
        assert!(!seen.see(4, 5));
    }
}
