//! The aggregates that a batch has in memory, and the number of its loans.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::application::kept::Kept;

/// The aggregates of a batch that come from the batches before it and are for those behind it.
pub(crate) struct Lender {
    pub(crate) kept: Kept,
    /// The number of all loans of the batch, which no other batch has.
    pub(crate) loan: u64,
    /// True if the application's own log was looked at in this batch.
    pub(crate) has_looked: bool,
}

impl Lender {
    pub(crate) fn new(kept: Kept) -> Self {
        static LOANS: AtomicU64 = AtomicU64::new(1);
        Self {
            kept,
            loan: LOANS.fetch_add(1, Ordering::Relaxed),
            has_looked: false,
        }
    }
}
