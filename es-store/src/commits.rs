//! The numbers of the transactions in which a store has recorded.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
use std::sync::atomic::{AtomicU64, Ordering};

/// The transactions in which a store has recorded since it was opened in this process. One
/// transaction carries the recordings of several threads. Those of projections are not among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commits {
    /// The number of transactions.
    pub transactions: u64,
    /// The number of recordings in them, which are saves, moves of positions and operations. Those
    /// that were refused are not among them.
    pub recordings: u64,
    /// The largest number of recordings in one transaction.
    pub largest: u64,
}

/// The counters behind [`Commits`].
#[cfg(any(feature = "sqlite", feature = "postgres"))]
#[derive(Debug, Default)]
pub(crate) struct CommitCounters {
    transactions: AtomicU64,
    recordings: AtomicU64,
    largest: AtomicU64,
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl CommitCounters {
    /// Counts a transaction with this number of recordings; none, if there were none.
    pub(crate) fn count(&self, recordings: usize) {
        if recordings == 0 {
            return;
        }
        let recordings = recordings as u64;
        self.transactions.fetch_add(1, Ordering::Relaxed);
        self.recordings.fetch_add(recordings, Ordering::Relaxed);
        self.largest.fetch_max(recordings, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Commits {
        Commits {
            transactions: self.transactions.load(Ordering::Relaxed),
            recordings: self.recordings.load(Ordering::Relaxed),
            largest: self.largest.load(Ordering::Relaxed),
        }
    }
}
