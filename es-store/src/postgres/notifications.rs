//! Pages of the notification log that are limited in bytes.
//!
//! A sum over the page would make every page of small events twice as slow. So the first statement
//! leaves out the states that are too long for a full page, which costs next to nothing: the rows
//! that it returns are below the limit together. If it left one out, a second statement with a sum
//! reads the rest of the page from there.

use tokio_postgres::Row;

use super::recorder::PostgresRecorder;
use super::sql::{Sql, Topics};
use crate::error::StoreError;
use crate::notification::{Notification, NotificationPage, NotificationQuery};
use crate::recorder::ApplicationRecorder;
use crate::sql::limits::{at_most, row_limit};
use crate::topic_filter::TopicFilter;
use crate::upstream_event::UpstreamEvent;

/// The shortest of the longest states of a page for which the first statement is worthwhile.
const WORTHWHILE: usize = 512;

/// The rows in front of a page.
#[derive(Clone, Copy)]
enum Front {
    Nothing,
    /// The event at the position at which the page starts, if there is one.
    Start,
}

/// The rows to select.
struct Bounds<'a> {
    after: i64,
    stop: i64,
    limit: usize,
    bytes: usize,
    filter: Option<FilterParams<'a>>,
}

/// A filter as parameters. No stored topic has a zero byte, and the server rejects one in a
/// parameter.
struct FilterParams<'a> {
    topics: Vec<&'a String>,
    prefixes: Vec<String>,
}

impl<'a> FilterParams<'a> {
    fn of(filter: &'a TopicFilter) -> Self {
        let mut topics: Vec<_> = filter.topics.iter().collect();
        let mut prefixes = filter.prefixes();
        topics.retain(|topic| !topic.contains('\0'));
        prefixes.retain(|prefix| !prefix.contains('\0'));
        Self { topics, prefixes }
    }
}

impl PostgresRecorder {
    /// Returns the notifications that `query` selects.
    pub(super) fn notifications(
        &self,
        query: &NotificationQuery,
    ) -> Result<Vec<Notification>, StoreError> {
        let page = self.select_rows(query, Front::Nothing)?;
        Ok(page.notifications)
    }

    /// Returns the notifications that `query` selects, and the event at which it starts, by one
    /// statement.
    pub(super) fn page(&self, query: &NotificationQuery) -> Result<NotificationPage, StoreError> {
        match query.start {
            Some(start) if query.inclusive_of_start => {
                let notifications = self.notifications(query)?;
                Ok(NotificationPage::new(self.event_at(start)?, notifications))
            }
            Some(_) => self.select_rows(query, Front::Start),
            None => self.select_rows(query, Front::Nothing),
        }
    }

    fn select_rows(
        &self,
        query: &NotificationQuery,
        front: Front,
    ) -> Result<NotificationPage, StoreError> {
        if query.limit == 0 || query.topics.as_ref().is_some_and(TopicFilter::is_empty) {
            return Ok(NotificationPage::default());
        }
        let after = match query.start {
            Some(start) if query.inclusive_of_start => start.checked_sub(1).map(at_most),
            start => start.map(at_most),
        };
        let mut bounds = Bounds {
            after: after.unwrap_or(i64::MIN),
            stop: query.stop.map_or(i64::MAX, at_most),
            limit: query.limit,
            bytes: query.byte_limit.max(1),
            filter: query.topics.as_ref().map(FilterParams::of),
        };
        let longest = bounds.bytes / bounds.limit;
        if bounds.bytes == usize::MAX {
            let rows = self.with_short_states(&bounds, front, usize::MAX)?;
            let (start, rows) = self.split(&bounds, &rows);
            return Ok(NotificationPage::new(start, self.decoded(rows)?));
        }
        if longest < WORTHWHILE {
            let rows = self.in_bytes(&bounds, front)?;
            let (start, rows) = self.split(&bounds, &rows);
            return Ok(NotificationPage::new(start, self.decoded(rows)?));
        }
        let rows = self.with_short_states(&bounds, front, longest)?;
        let (start, rows) = self.split(&bounds, &rows);
        let is_left_out = |row: &Row| !matches!(row.try_get(4), Ok(Some::<&[u8]>(_)));
        let Some(left_out) = rows.iter().position(is_left_out) else {
            return Ok(NotificationPage::new(start, self.decoded(rows)?));
        };
        let mut page = self.decoded(&rows[..left_out])?;
        if let Some(last) = page.last() {
            bounds.after = at_most(last.id);
        }
        let bytes: usize = page.iter().map(|one| one.state.len()).sum();
        bounds.limit -= page.len();
        bounds.bytes -= bytes;
        page.extend(self.decoded(&self.in_bytes(&bounds, Front::Nothing)?)?);
        Ok(NotificationPage::new(start, page))
    }

    /// Separates the row at which the page starts, which comes first if there is one.
    fn split<'r>(
        &self,
        bounds: &Bounds<'_>,
        rows: &'r [Row],
    ) -> (Option<UpstreamEvent>, &'r [Row]) {
        let is_start = |row: &Row| matches!(row.try_get::<_, i64>(0), Ok(at) if at == bounds.after);
        match rows.split_first() {
            Some((first, rows)) if is_start(first) => (self.rows().upstream_event(first), rows),
            _ => (None, rows),
        }
    }

    fn with_short_states(
        &self,
        bounds: &Bounds<'_>,
        front: Front,
        longest: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let page_of = match front {
            Front::Nothing => Sql::Notifications,
            Front::Start => Sql::NotificationsFrom,
        };
        self.select(bounds, page_of, row_limit(longest))
    }

    fn in_bytes(&self, bounds: &Bounds<'_>, front: Front) -> Result<Vec<Row>, StoreError> {
        let page_of = match front {
            Front::Nothing => Sql::NotificationsInBytes,
            Front::Start => Sql::NotificationsInBytesFrom,
        };
        self.select(bounds, page_of, row_limit(bounds.bytes))
    }

    fn select(
        &self,
        bounds: &Bounds<'_>,
        page_of: fn(Topics) -> Sql,
        bytes: i64,
    ) -> Result<Vec<Row>, StoreError> {
        let Bounds { after, stop, .. } = bounds;
        let limit = row_limit(bounds.limit);
        self.read("reading notifications", |connection| match &bounds.filter {
            None => connection.query(page_of(Topics::All), &[after, stop, &limit, &bytes]),
            Some(FilterParams { topics, prefixes }) if prefixes.is_empty() => connection.query(
                page_of(Topics::Listed),
                &[after, stop, &limit, topics, &bytes],
            ),
            Some(FilterParams { topics, prefixes }) => connection.query(
                page_of(Topics::ListedOrOfAggregates),
                &[after, stop, &limit, topics, prefixes, &bytes],
            ),
        })
    }

    fn decoded(&self, rows: &[Row]) -> Result<Vec<Notification>, StoreError> {
        rows.iter()
            .map(|row| self.rows().notification(row))
            .collect()
    }
}
