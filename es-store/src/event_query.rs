//! Queries for the events of one aggregate, and the history that an aggregate is rebuilt from.

use crate::stored_event::StoredEvent;

/// A selection of the events of one aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventQuery {
    /// The lowest version, exclusive; `None` is no bound.
    pub gt: Option<u64>,
    /// The highest version, inclusive; `None` is no bound.
    pub lte: Option<u64>,
    /// True if the highest version comes first.
    pub desc: bool,
    /// The maximal number of events; 0 selects none.
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
    /// Selects all events, in the order of versions.
    pub fn all() -> Self {
        Self::default()
    }

    /// Restricts the selection to versions above `version`.
    #[must_use]
    pub fn gt(self, version: u64) -> Self {
        Self {
            gt: Some(version),
            ..self
        }
    }

    /// Restricts the selection to versions up to `version`, including `version`.
    #[must_use]
    pub fn lte(self, version: u64) -> Self {
        Self {
            lte: Some(version),
            ..self
        }
    }

    /// Reverses the order: the highest version comes first.
    #[must_use]
    pub fn desc(self) -> Self {
        Self { desc: true, ..self }
    }

    /// Restricts the selection to the first `limit` events.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

/// The snapshot and the events that an aggregate is rebuilt from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct History {
    /// The newest snapshot, if there is one.
    pub snapshot: Option<StoredEvent>,
    /// The events after the snapshot, or all events if there is none, in the order of versions.
    pub events: Vec<StoredEvent>,
}

impl History {
    /// Creates a history from a snapshot and the events after it.
    pub fn new(snapshot: Option<StoredEvent>, events: Vec<StoredEvent>) -> Self {
        Self { snapshot, events }
    }
}
