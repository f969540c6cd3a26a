//! The aggregates that a batch has in memory, and the numbers of its loans.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::application::kept::Kept;

/// The aggregates of a batch that come from the batches before it and are for those behind it.
pub(crate) struct Lender {
    pub(crate) kept: Kept,
    /// The number of the loans for the event in hand.
    loan: u64,
    /// True if the application's own log was looked at in this batch.
    pub(crate) has_looked: bool,
}

impl Lender {
    pub(crate) fn new(kept: Kept) -> Self {
        Self {
            kept,
            loan: next_loan(),
            has_looked: false,
        }
    }

    /// Returns the number of the loans for the event in hand.
    pub(crate) fn loan(&self) -> u64 {
        self.loan
    }

    /// Ends all loans, because another event is next.
    pub(crate) fn begin_event(&mut self) {
        self.loan = next_loan();
    }
}

fn next_loan() -> u64 {
    static LOANS: AtomicU64 = AtomicU64::new(1);
    LOANS.fetch_add(1, Ordering::Relaxed)
}
