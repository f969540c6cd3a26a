//! Events with their positions, and queries for them.

use std::ops::Deref;

use crate::stored_event::StoredEvent;
use crate::topic_filter::TopicFilter;
use crate::upstream_event::UpstreamEvent;

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
    /// Creates the notification of the event at position `id`.
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

/// The last position of a notification log, and the event there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// The position.
    pub position: u64,
    /// The event there; `None` if its row is damaged. A damaged row does not stop a caller who
    /// needs only the position.
    pub event: Option<UpstreamEvent>,
}

impl Head {
    /// Creates the head at `position`.
    pub fn new(position: u64, event: Option<UpstreamEvent>) -> Self {
        Self { position, event }
    }
}

/// A page of a notification log, and the event in front of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotificationPage {
    /// The event at the position at which the query starts, whatever its topic; `None` if there is
    /// none, or its id or version cannot be read.
    pub start: Option<UpstreamEvent>,
    /// The selected notifications, in the order of positions.
    pub notifications: Vec<Notification>,
}

impl NotificationPage {
    /// Creates a page behind the event `start`.
    pub fn new(start: Option<UpstreamEvent>, notifications: Vec<Notification>) -> Self {
        Self {
            start,
            notifications,
        }
    }
}

/// The number of bytes after which the library ends a page: those of the states as they are stored.
/// With its last state, which may exceed the limit, a page is what a reader has in memory.
pub const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// A selection of notifications, always in the order of positions.
///
/// ```
/// use es_store::NotificationQuery;
///
/// let page = NotificationQuery::after(100)
///     .up_to(250)
///     .limit(50)
///     .topics(["dogschool:Dog.TrickAdded"]);
/// assert_eq!(page.start, Some(100));
/// assert!(!page.inclusive_of_start);
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
    /// The maximal number of notifications; 0 selects none.
    pub limit: usize,
    /// The number of bytes after which the selection ends: the notification whose state reaches it
    /// is the last. So there is always at least one, and a page may exceed the limit by its last
    /// state.
    pub byte_limit: usize,
    /// The topics to select; `None` selects all, an empty filter none.
    pub topics: Option<TopicFilter>,
}

impl NotificationQuery {
    /// Selects all notifications.
    pub fn all() -> Self {
        Self {
            start: None,
            inclusive_of_start: true,
            stop: None,
            limit: usize::MAX,
            byte_limit: usize::MAX,
            topics: None,
        }
    }

    /// Selects all notifications from `position` on, including `position`.
    pub fn from(position: u64) -> Self {
        Self {
            start: Some(position),
            ..Self::all()
        }
    }

    /// Selects all notifications after `position`, excluding `position`.
    pub fn after(position: u64) -> Self {
        Self {
            start: Some(position),
            inclusive_of_start: false,
            ..Self::all()
        }
    }

    /// Restricts the selection to positions up to `position`, including `position`.
    #[must_use]
    pub fn up_to(self, position: u64) -> Self {
        Self {
            stop: Some(position),
            ..self
        }
    }

    /// Restricts the selection to the first `limit` notifications.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Ends the selection with the notification whose state reaches `bytes`, all states together.
    #[must_use]
    pub fn byte_limit(self, bytes: usize) -> Self {
        Self {
            byte_limit: bytes,
            ..self
        }
    }

    /// Returns true if `page`, which this query has selected, has reached one of the limits. There
    /// may be more notifications behind it then, and there are none otherwise.
    ///
    /// ```
    /// use es_store::{Notification, NotificationQuery, StoredEvent};
    ///
    /// let event = StoredEvent::new("one", 1, "dogschool:Dog.Registered", vec![0; 100]);
    /// let page = [Notification::new(1, event)];
    /// assert!(NotificationQuery::all().limit(1).is_filled_by(&page));
    /// assert!(NotificationQuery::all().byte_limit(100).is_filled_by(&page));
    /// assert!(!NotificationQuery::all().byte_limit(101).is_filled_by(&page));
    /// ```
    pub fn is_filled_by(&self, page: &[Notification]) -> bool {
        let bytes = page.iter().fold(0, |bytes: usize, notification| {
            bytes.saturating_add(notification.state.len())
        });
        page.len() >= self.limit || self.is_reached_by(bytes)
    }

    /// Returns true if a page whose states have so many bytes ends.
    pub(crate) fn is_reached_by(&self, bytes: usize) -> bool {
        bytes >= self.byte_limit.max(1)
    }

    /// Restricts the selection to these topics.
    #[must_use]
    pub fn topics<T: Into<String>>(self, topics: impl IntoIterator<Item = T>) -> Self {
        self.filter(Some(TopicFilter::new(topics)))
    }

    /// Restricts the selection to the topics that `filter` selects; `None` is all topics.
    #[must_use]
    pub fn filter(self, filter: Option<TopicFilter>) -> Self {
        Self {
            topics: filter,
            ..self
        }
    }
}
