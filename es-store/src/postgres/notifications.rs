//! Pages of the notification log that are limited in bytes.
//!
//! A sum over the page would make every page of small events twice as slow. So the first statement
//! leaves out the states that are too long for a full page, which costs next to nothing: the rows
//! that it returns are below the limit together. If it left one out, a second statement with a sum
//! reads the rest of the page from there.

use tokio_postgres::Row;

use super::recorder::PostgresRecorder;
use super::sql::Sql;
use crate::error::StoreError;
use crate::notification::{Notification, NotificationQuery};
use crate::sql::limits::{at_most, row_limit};

/// The shortest of the longest states of a page for which the first statement is worthwhile.
const WORTHWHILE: usize = 512;

/// The rows to select.
struct Bounds<'a> {
    after: i64,
    stop: i64,
    limit: usize,
    bytes: usize,
    topics: Option<Vec<&'a String>>,
}

impl PostgresRecorder {
    /// Returns the notifications that `query` selects.
    pub(super) fn notifications(
        &self,
        query: &NotificationQuery,
    ) -> Result<Vec<Notification>, StoreError> {
        let topics = query.topics.as_deref();
        if query.limit == 0 || topics.is_some_and(<[_]>::is_empty) {
            return Ok(Vec::new());
        }
        let after = match query.start {
            Some(start) if query.inclusive_of_start => start.checked_sub(1).map(at_most),
            start => start.map(at_most),
        };
        // No stored topic has a zero byte, and the server rejects one as a parameter.
        let topics = topics.map(|topics| topics.iter().filter(|topic| !topic.contains('\0')));
        let mut bounds = Bounds {
            after: after.unwrap_or(i64::MIN),
            stop: query.stop.map_or(i64::MAX, at_most),
            limit: query.limit,
            bytes: query.byte_limit.max(1),
            topics: topics.map(Iterator::collect),
        };
        let longest = bounds.bytes / bounds.limit;
        if bounds.bytes == usize::MAX {
            return self.decoded(&self.with_short_states(&bounds, usize::MAX)?);
        }
        if longest < WORTHWHILE {
            return self.decoded(&self.in_bytes(&bounds)?);
        }
        let rows = self.with_short_states(&bounds, longest)?;
        let is_left_out = |row: &Row| !matches!(row.try_get(4), Ok(Some::<&[u8]>(_)));
        let Some(left_out) = rows.iter().position(is_left_out) else {
            return self.decoded(&rows);
        };
        let mut page = self.decoded(&rows[..left_out])?;
        if let Some(last) = page.last() {
            bounds.after = at_most(last.id);
        }
        let bytes: usize = page.iter().map(|one| one.state.len()).sum();
        bounds.limit -= page.len();
        bounds.bytes -= bytes;
        page.extend(self.decoded(&self.in_bytes(&bounds)?)?);
        Ok(page)
    }

    fn with_short_states(
        &self,
        bounds: &Bounds<'_>,
        longest: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let statements = (Sql::Notifications, Sql::NotificationsByTopic);
        self.select(bounds, statements, row_limit(longest))
    }

    fn in_bytes(&self, bounds: &Bounds<'_>) -> Result<Vec<Row>, StoreError> {
        let statements = (Sql::NotificationsInBytes, Sql::NotificationsByTopicInBytes);
        self.select(bounds, statements, row_limit(bounds.bytes))
    }

    /// Executes the first of the statements, or the second one if there are topics.
    fn select(
        &self,
        bounds: &Bounds<'_>,
        (all, by_topic): (Sql, Sql),
        bytes: i64,
    ) -> Result<Vec<Row>, StoreError> {
        let Bounds { after, stop, .. } = bounds;
        let limit = row_limit(bounds.limit);
        self.pool
            .read("reading notifications", |connection| match &bounds.topics {
                None => connection.query(all, &[after, stop, &limit, &bytes]),
                Some(topics) => connection.query(by_topic, &[after, stop, &limit, topics, &bytes]),
            })
    }

    fn decoded(&self, rows: &[Row]) -> Result<Vec<Notification>, StoreError> {
        rows.iter()
            .map(|row| self.rows().notification(row))
            .collect()
    }
}
