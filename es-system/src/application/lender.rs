//! The aggregates that a batch has in memory, and the number of its loans.

use crate::application::core::Application;
use crate::application::kept::Kept;
use crate::application::origin;

/// The aggregates of a batch that come from the batches before it and are for those behind it.
pub(crate) struct Lender {
    /// The application whose aggregates they are.
    pub(crate) application: Application,
    pub(crate) kept: Kept,
    /// The number of all loans of the batch, which no other batch and no application has.
    pub(crate) loan: u64,
    /// True if the application's own log was looked at in this batch, after all that its policies
    /// have saved by another object of the application.
    pub(crate) has_looked: bool,
}

impl Lender {
    pub(crate) fn new(application: Application, kept: Kept) -> Self {
        Self {
            application,
            kept,
            loan: origin::new(),
            has_looked: false,
        }
    }
}
