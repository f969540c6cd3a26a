//! The aggregates that a batch has in memory, and the number of its loans.

use es_store::Mapper;

use crate::application::kept::Kept;
use crate::application::origin;

/// The aggregates of a batch that come from the batches before it and are for those behind it.
pub(crate) struct Lender {
    /// The mapper of the application whose aggregates they are.
    pub(crate) mapper: Mapper,
    pub(crate) kept: Kept,
    /// The number of all loans of the batch, which no other batch and no application has.
    pub(crate) loan: u64,
    /// True if the application's own log was looked at in this batch, after all that its policies
    /// have saved by another object of the application.
    pub(crate) has_looked: bool,
}

impl Lender {
    pub(crate) fn new(mapper: Mapper, kept: Kept) -> Self {
        Self {
            mapper,
            kept,
            loan: origin::new(),
            has_looked: false,
        }
    }
}
