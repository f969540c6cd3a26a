//! The head of an application's log. If it goes back, events were lost: the store was restored, or
//! a standby without the last commits took its place. Then cached aggregates may have states that
//! are no longer recorded, and all are dropped.

use es_store::{Head, Recorded, Recording};

use crate::application::core::Application;
use crate::error::Result;

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
