//! The numbers of an application's saves.

use std::sync::atomic::{AtomicU64, Ordering};

use es_store::Commits;

use crate::error::{Error, ErrorKind};

/// The numbers of an application in this process since its runner was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApplicationMetrics {
    /// The name of the application.
    pub application: String,
    /// The number of saves that were recorded. Each may have several aggregates and events.
    pub saves: u64,
    /// The number of saves that were refused because another writer had saved the same version
    /// first. A command that ran again after it may have succeeded.
    pub conflicts: u64,
    /// The transactions in which its store has recorded, which are the commits of groups of saves.
    /// `None` if the store does not count them, such as the one in memory.
    pub commits: Option<Commits>,
}

/// The counters behind [`ApplicationMetrics`].
#[derive(Debug, Default)]
pub(super) struct SaveCounters {
    saves: AtomicU64,
    conflicts: AtomicU64,
}

impl SaveCounters {
    /// Counts a save that is recorded.
    pub(super) fn count_save(&self) {
        self.saves.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a save that was refused, if another writer was first.
    pub(super) fn count_refusal(&self, error: &Error) {
        if error.kind() == ErrorKind::Conflict {
            self.conflicts.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn metrics(
        &self,
        application: &str,
        commits: Option<Commits>,
    ) -> ApplicationMetrics {
        ApplicationMetrics {
            application: application.to_owned(),
            saves: self.saves.load(Ordering::Relaxed),
            conflicts: self.conflicts.load(Ordering::Relaxed),
            commits,
        }
    }
}
