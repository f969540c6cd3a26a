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
    /// The number of bytes after which the selection ends: the event whose state reaches it is the
    /// last. So there is always at least one, and a page may exceed the limit by its last state.
    pub byte_limit: usize,
}

impl Default for EventQuery {
    fn default() -> Self {
        Self {
            gt: None,
            lte: None,
            desc: false,
            limit: usize::MAX,
            byte_limit: usize::MAX,
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

    /// Ends the selection with the event whose state reaches `bytes`, all states together.
    #[must_use]
    pub fn byte_limit(self, bytes: usize) -> Self {
        Self {
            byte_limit: bytes,
            ..self
        }
    }

    /// Returns true if `page`, which this query has selected, has reached one of the limits. There
    /// may be more events behind it then, and there are none otherwise.
    ///
    /// ```
    /// use es_store::{EventQuery, StoredEvent};
    ///
    /// let page = [StoredEvent::new("one", 1, "dogschool:Dog.Registered", vec![0; 100])];
    /// assert!(EventQuery::all().limit(1).is_filled_by(&page));
    /// assert!(EventQuery::all().byte_limit(100).is_filled_by(&page));
    /// assert!(!EventQuery::all().byte_limit(101).is_filled_by(&page));
    /// ```
    pub fn is_filled_by(&self, page: &[StoredEvent]) -> bool {
        let bytes = page.iter().fold(0, |bytes: usize, event| {
            bytes.saturating_add(event.state.len())
        });
        page.len() >= self.limit || self.is_reached_by(bytes)
    }

    /// Returns the query for the events after a snapshot, or for all if there is none.
    pub(crate) fn behind(&self, snapshot: Option<&StoredEvent>) -> Self {
        Self {
            gt: snapshot.map(|one| one.originator_version),
            desc: false,
            ..self.clone()
        }
    }

    /// Returns true if a page whose states have so many bytes ends.
    pub(crate) fn is_reached_by(&self, bytes: usize) -> bool {
        bytes >= self.byte_limit.max(1)
    }
}

/// The snapshot and the events that an aggregate is rebuilt from, or the first page of them.
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
