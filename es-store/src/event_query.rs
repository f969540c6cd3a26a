//! The events of one aggregate: which to select, and what it is rebuilt from.

use crate::stored_event::StoredEvent;

/// Which events of one aggregate to select.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventQuery {
    /// Only versions above this.
    pub gt: Option<u64>,
    /// Only versions up to this.
    pub lte: Option<u64>,
    /// Highest version first.
    pub desc: bool,
    /// The number of events to select at most; 0 selects none.
    pub limit: usize,
}

impl Default for EventQuery {
    fn default() -> Self {
        Self {
            gt: None,
            lte: None,
            desc: false,
            limit: usize::MAX,
        }
    }
}

impl EventQuery {
    /// All events, in the order of versions.
    pub fn all() -> Self {
        Self::default()
    }

    /// Of these, those with a version above `version`.
    #[must_use]
    pub fn gt(self, version: u64) -> Self {
        Self {
            gt: Some(version),
            ..self
        }
    }

    /// Of these, those with a version of at most `version`.
    #[must_use]
    pub fn lte(self, version: u64) -> Self {
        Self {
            lte: Some(version),
            ..self
        }
    }

    /// The same events, highest version first.
    #[must_use]
    pub fn desc(self) -> Self {
        Self { desc: true, ..self }
    }

    /// Of these, the first `limit`.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

/// The snapshot and events that an aggregate is rebuilt from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct History {
    /// The newest snapshot, if there is one.
    pub snapshot: Option<StoredEvent>,
    /// The events behind it, or all if there is none, in the order of versions.
    pub events: Vec<StoredEvent>,
}

impl History {
    /// The events behind a snapshot.
    pub fn new(snapshot: Option<StoredEvent>, events: Vec<StoredEvent>) -> Self {
        Self { snapshot, events }
    }
}
