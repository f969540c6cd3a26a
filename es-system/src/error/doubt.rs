//! Saves whose outcome is unknown.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use es_store::Recorded;

use crate::error::Result;

/// A save of which it is unknown whether it took place, because the connection to the store was
/// lost meanwhile. [`Error::doubt`](crate::Error::doubt) returns it, and [`settle`](Self::settle)
/// finds the outcome.
///
/// It holds the events as they were sent, and the store, which stays open with it. So it outlives
/// the aggregates and the application object. A clone is another handle to the same save.
#[derive(Clone)]
pub struct Doubt(Arc<dyn Attempt>);

/// An attempt at a save.
pub(crate) trait Attempt: Send + Sync + UnwindSafe + RefUnwindSafe {
    /// Sends the same events again, unless the outcome is known.
    fn settle(self: Arc<Self>) -> Result<Recorded>;

    /// Describes the events.
    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

impl Doubt {
    pub(crate) fn of(attempt: Arc<dyn Attempt>) -> Self {
        Self(attempt)
    }

    /// Sends the same events again, byte for byte, until the store has answered once. Returns their
    /// positions if they are recorded, by this attempt or by an earlier one; later calls return
    /// them again.
    ///
    /// Reading the aggregate is not enough: the server may still execute the first attempt.
    ///
    /// # Errors
    /// - [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) with the same doubt, if the store
    ///   does not answer. Call it again later.
    /// - Any other error is certain: nothing was saved. It is
    ///   [`Error::Conflict`](crate::Error::Conflict) if another writer saved the same version
    ///   meanwhile.
    pub fn settle(&self) -> Result<Recorded> {
        self.0.clone().settle()
    }

    /// Returns true if both are handles to the same save.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::as_ptr(&self.0).addr() == Arc::as_ptr(&other.0).addr()
    }
}

/// Names the application, and the aggregates with their versions.
impl fmt::Debug for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Doubt(")?;
        self.0.describe(f)?;
        f.write_str(")")
    }
}
