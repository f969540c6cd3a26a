//! Events with their positions.

use std::ops::Deref;
use std::sync::Arc;

use crate::stored_event::StoredEvent;
use crate::tracking::UpstreamEvent;

/// A stored event with its position in the notification log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// The position. Positions strictly increase and may have gaps; the first is at least 1.
    pub id: u64,
    /// The event at that position.
    pub event: StoredEvent,
}

impl Notification {
    /// The event at position `id`.
    pub fn new(id: u64, event: StoredEvent) -> Self {
        Self { id, event }
    }
}

impl Deref for Notification {
    type Target = StoredEvent;

    fn deref(&self) -> &StoredEvent {
        &self.event
    }
}

/// The last position of a notification log, and which event stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// The position.
    pub position: u64,
    /// The event there; `None` if the row is damaged, so that one damaged row stops nobody who only
    /// asks for the position.
    pub event: Option<UpstreamEvent>,
}

impl Head {
    /// The head at `position`, where `event` stands.
    pub fn new(position: u64, event: Option<UpstreamEvent>) -> Self {
        Self { position, event }
    }
}

/// Which notifications to select, always in the order of positions.
///
/// ```
/// use es_store::NotificationQuery;
///
/// let page =
/// NotificationQuery::after(100).up_to(250).limit(50).topics(["dogschool:Dog.TrickAdded"]);
/// assert_eq!(page.start, Some(100)); assert!(!page.inclusive_of_start);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotificationQuery {
    /// The position to start at; `None` is the beginning.
    pub start: Option<u64>,
    /// True if the event at `start` is selected too.
    pub inclusive_of_start: bool,
    /// The last position to select, inclusive; `None` is the end.
    pub stop: Option<u64>,
    /// The number of notifications to select at most; 0 selects none.
    pub limit: usize,
    /// The topics to select; `None` is all, an empty list is none.
    pub topics: Option<Arc<[String]>>,
}

impl NotificationQuery {
    /// All notifications.
    pub fn all() -> Self {
        Self {
            start: None,
            inclusive_of_start: true,
            stop: None,
            limit: usize::MAX,
            topics: None,
        }
    }

    /// All notifications from `position` on, itself included.
    pub fn from(position: u64) -> Self {
        Self {
            start: Some(position),
            ..Self::all()
        }
    }

    /// All notifications behind `position`, itself excluded.
    pub fn after(position: u64) -> Self {
        Self {
            start: Some(position),
            inclusive_of_start: false,
            ..Self::all()
        }
    }

    /// Of these, those up to `position`, itself included.
    #[must_use]
    pub fn up_to(self, position: u64) -> Self {
        Self {
            stop: Some(position),
            ..self
        }
    }

    /// Of these, the first `limit`.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Of these, those with one of `topics`.
    #[must_use]
    pub fn topics<T: Into<String>>(self, topics: impl IntoIterator<Item = T>) -> Self {
        Self {
            topics: Some(topics.into_iter().map(Into::into).collect()),
            ..self
        }
    }

    /// Of these, those with one of the shared `topics`, if there is a list.
    #[must_use]
    pub fn shared_topics(self, topics: Option<Arc<[String]>>) -> Self {
        Self { topics, ..self }
    }
}
