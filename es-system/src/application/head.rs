//! The head of an application's log. If it goes back, events were lost: the store was restored, or
//! a standby without the last commits took its place. Then cached aggregates may have states that
//! are no longer recorded, and all are dropped.
//!
//! Concurrency: the highest position that was seen is read before the store is. A reader that has
//! seen a position is never shown a lower one later, nor does a later save get one. So whatever the
//! other threads do meanwhile, a lower position means that the log went back.

use std::sync::atomic::{AtomicU64, Ordering};

use es_store::{Head, Recorded, Recording};

use crate::application::core::Application;
use crate::error::Result;

/// The highest position of a log that was seen.
#[derive(Debug, Default)]
pub(crate) struct SeenHead(AtomicU64);

impl SeenHead {
    fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Records a position. Returns true if the log went back, because an earlier one is higher.
    fn see(&self, before: u64, position: u64) -> bool {
        if position < before {
            self.0.store(position, Ordering::SeqCst);
            return true;
        }
        self.0.fetch_max(position, Ordering::SeqCst);
        false
    }
}

impl Application {
    /// Returns the last position of the log and its event, or `None` if the log is empty.
    pub(crate) fn head(&self) -> Result<Option<Head>> {
        let before = self.seen_head().get();
        let head = self.on_store(|store| store.head())?;
        self.see(before, head.as_ref().map_or(0, |head| head.position));
        Ok(head)
    }

    /// Records all of `recording`, or nothing of it.
    pub(crate) fn record(&self, recording: &Recording) -> Result<Recorded> {
        self.seeing(recording, || self.on_store(|store| store.record(recording)))
    }

    /// Calls `record`, which records `recording`, and looks at the positions that it got.
    pub(crate) fn seeing<E>(
        &self,
        recording: &Recording,
        record: impl FnOnce() -> Result<Recorded, E>,
    ) -> Result<Recorded, E> {
        let before = self.seen_head().get();
        let recorded = record()?;
        // A recording that is sent again may have been recorded before.
        if let Some(last) = recorded.last_position().filter(|_| !recording.is_resent) {
            self.see(before, last);
        }
        Ok(recorded)
    }

    /// Drops all cached aggregates, because the log is not the one that they are of.
    pub(crate) fn forget_all(&self) {
        if let Some(cache) = self.cache() {
            cache.clear();
        }
    }

    fn see(&self, before: u64, position: u64) {
        if self.seen_head().see(before, position) {
            let application = self.name();
            tracing::warn!(
                application,
                "the log ends at position {position}, and position {before} was seen: \
                 it was restored, or a server without the last commits took over"
            );
            self.forget_all();
        }
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
