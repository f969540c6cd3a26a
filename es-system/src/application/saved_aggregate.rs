//! The types of aggregates that a system knows.

#[cfg(feature = "cli")]
pub(crate) mod inspection;

use es_core::Aggregate;

#[cfg(feature = "cli")]
use self::inspection::Inspection;

/// An aggregate that an application saves, by its stored name.
#[derive(Debug, Clone, Copy)]
pub struct SavedAggregate {
    pub(crate) topic: &'static str,
    /// The functions that show what is stored of it.
    #[cfg(feature = "cli")]
    pub(crate) inspection: Inspection,
}

impl SavedAggregate {
    /// Returns the aggregate `A`.
    pub const fn of<A: Aggregate>() -> Self {
        Self {
            topic: A::TOPIC,
            #[cfg(feature = "cli")]
            inspection: Inspection::of::<A>(),
        }
    }
}

impl PartialEq for SavedAggregate {
    fn eq(&self, other: &Self) -> bool {
        self.topic == other.topic
    }
}
