//! The notification log of an application, for local readers and in sections for remote ones.

use std::fmt;
use std::sync::Arc;

use crate::error::StoreError;
use crate::notification::{Notification, NotificationQuery, PAGE_BYTES};
use crate::recorder::ApplicationRecorder;

/// The notification log of an application: all its events, in the order of positions.
///
/// Cloning is cheap.
#[derive(Clone)]
pub struct NotificationLog {
    recorder: Arc<dyn ApplicationRecorder>,
    section_size: usize,
}

/// A named part of a notification log, as remote readers request it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Section {
    /// The positions of the first and the last notification, such as `1,10`; `None` if the section
    /// is empty.
    pub id: Option<String>,
    /// The notifications, in the order of positions.
    pub items: Vec<Notification>,
    /// The id of the next section; `None` if this section is not full.
    pub next_id: Option<String>,
}

impl NotificationLog {
    /// The default number of notifications in a section.
    pub const SECTION_SIZE: usize = 10;

    /// Creates the log of a recorder.
    pub fn new(recorder: Arc<dyn ApplicationRecorder>) -> Self {
        Self {
            recorder,
            section_size: Self::SECTION_SIZE,
        }
    }

    /// Returns the same log with sections of at most `size` notifications.
    #[must_use]
    pub fn section_size(self, size: usize) -> Self {
        Self {
            section_size: size,
            ..self
        }
    }

    /// Returns the first `limit` notifications from position `start` on, including `start`.
    ///
    /// # Errors
    /// Fails when the store cannot be read.
    pub fn select(&self, start: u64, limit: usize) -> Result<Vec<Notification>, StoreError> {
        self.query(&NotificationQuery::from(start).limit(limit))
    }

    /// Returns the notifications that `query` selects.
    ///
    /// # Errors
    /// Fails when the store cannot be read.
    pub fn query(&self, query: &NotificationQuery) -> Result<Vec<Notification>, StoreError> {
        self.recorder.select_notifications(query)
    }

    /// Returns the section `id`, which names the first and the last requested position, such as
    /// `1,10`.
    ///
    /// The section has at most [`section_size`](Self::section_size) notifications, and its own id
    /// names those that it has. It ends early with the notification whose state is the last of
    /// [`PAGE_BYTES`]. Positions have gaps, so the last position may be above the
    /// requested one.
    ///
    /// # Errors
    /// Fails with [`StoreError::Invalid`] when `id` is not such a pair, and when the store cannot
    /// be read.
    ///
    /// ```
    /// use es_store::{Env, NotificationLog, Role, open};
    ///
    /// let log = NotificationLog::new(open("DogSchool", Role::Leader, &Env::new())?);
    /// assert!(log.section("1,10")?.items.is_empty());
    /// assert!(log.section("1").is_err());
    /// # Ok::<(), es_store::StoreError>(())
    /// ```
    pub fn section(&self, id: &str) -> Result<Section, StoreError> {
        let (first, last) = positions(id)?;
        let asked = (last.saturating_add(1)).saturating_sub(first);
        let limit = usize::try_from(asked)
            .unwrap_or(usize::MAX)
            .min(self.section_size);
        let query = NotificationQuery::from(first)
            .limit(limit)
            .byte_limit(PAGE_BYTES);
        let items = self.query(&query)?;
        let is_full = query.is_filled_by(&items);
        let (Some(first), Some(last)) = (items.first(), items.last()) else {
            return Ok(Section {
                id: None,
                items,
                next_id: None,
            });
        };
        let id = Some(format!("{},{}", first.id, last.id));
        let next_id = is_full.then(|| format!("{},{}", last.id + 1, last.id + limit as u64));
        Ok(Section { id, items, next_id })
    }
}

impl fmt::Debug for NotificationLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotificationLog")
            .field("section_size", &self.section_size)
            .finish_non_exhaustive()
    }
}

fn positions(id: &str) -> Result<(u64, u64), StoreError> {
    let malformed = || {
        StoreError::Invalid(format!(
            "`{id}` is not a section of a notification log, such as `1,10`"
        ))
    };
    let (first, last) = id.split_once(',').ok_or_else(malformed)?;
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| malformed());
    Ok((number(first)?.max(1), number(last)?))
}
