//! The events of one aggregate, in pages that are limited in bytes.
//!
//! As for the [notification log](super::notifications), the first statement leaves out the states
//! that are too long for a full page. If it left one out, a second statement with a sum reads the
//! rest of the page from there. So an aggregate of few or short events is one round trip.

use es_core::AggregateId;
use tokio_postgres::Row;

use super::recorder::{PostgresRecorder, has_zero};
use super::rows::id_param;
use super::sql::Sql;
use crate::error::StoreError;
use crate::event_query::{EventQuery, History};
use crate::sql::limits::{at_most, row_limit};
use crate::stored_event::StoredEvent;

impl PostgresRecorder {
    /// Returns the events of one aggregate that `query` selects.
    ///
    /// # Errors
    /// Fails when the store cannot be read, or a row is damaged.
    pub(super) fn events(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        if query.limit == 0 || id.id_type() != self.id_type || has_zero(id) {
            return Ok(Vec::new());
        }
        let sql = if query.desc {
            Sql::EventsDesc
        } else {
            Sql::Events
        };
        let longest = longest(query);
        let rows = self.select_of_one(sql, id, query, longest)?;
        self.page_of_one(id, query, &rows.iter().collect::<Vec<_>>(), longest)
    }

    /// Returns the newest snapshot and the page of events after it that `query` selects.
    ///
    /// # Errors
    /// Fails when the store cannot be read, or a row is damaged.
    pub(super) fn history(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<History, StoreError> {
        if id.id_type() != self.id_type || has_zero(id) {
            return Ok(History::default());
        }
        let (param, lte) = (id_param(id), query.lte.map_or(i64::MAX, at_most));
        let (limit, longest) = (row_limit(query.limit), longest(query));
        let rows = self.read("reading events", |connection| {
            let params = [&*param, &lte, &i64::MIN, &limit, &row_limit(longest)];
            connection.query(Sql::History, &params)
        })?;
        let (snapshots, mut events): (Vec<_>, Vec<_>) =
            rows.iter().partition(|row| is_snapshot(row));
        // UNION ALL promises no order, though the rows arrive in this one.
        events.sort_by_key(|row| row.try_get(0).unwrap_or(i64::MAX));
        let snapshot = snapshots.first().map(|row| self.rows().event(id, row));
        let snapshot = snapshot.transpose()?;
        let behind = query.behind(snapshot.as_ref());
        let events = self.page_of_one(id, &behind, &events, longest)?;
        Ok(History::new(snapshot, events))
    }

    /// Decodes a page whose states above `longest` are left out, and reads its rest from the first
    /// of them on.
    fn page_of_one(
        &self,
        id: &AggregateId,
        query: &EventQuery,
        rows: &[&Row],
        longest: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let decoded = |rows: &[&Row]| -> Result<Vec<_>, _> {
            rows.iter().map(|row| self.rows().event(id, row)).collect()
        };
        let is_left_out = |row: &&Row| !matches!(row.try_get(2), Ok(Some::<&[u8]>(_)));
        let left_out = rows.iter().position(is_left_out);
        let Some(left_out) = left_out.filter(|_| longest < usize::MAX) else {
            return decoded(rows);
        };
        let mut page = decoded(&rows[..left_out])?;
        let mut rest = query.clone();
        let last = page.last().map(|last| last.originator_version);
        let (sql, bound) = if query.desc {
            (Sql::EventsDescInBytes, &mut rest.lte)
        } else {
            (Sql::EventsInBytes, &mut rest.gt)
        };
        if let Some(last) = last {
            *bound = Some(if query.desc {
                last.saturating_sub(1)
            } else {
                last
            });
        }
        rest.limit -= page.len();
        let bytes: usize = page.iter().map(|event| event.state.len()).sum();
        rest.byte_limit = query.byte_limit.max(1) - bytes;
        let rows = self.select_of_one(sql, id, &rest, rest.byte_limit)?;
        page.extend(decoded(&rows.iter().collect::<Vec<_>>())?);
        Ok(page)
    }

    fn select_of_one(
        &self,
        sql: Sql,
        id: &AggregateId,
        query: &EventQuery,
        bytes: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let param = id_param(id);
        let (gt, lte) = (
            query.gt.map_or(i64::MIN, at_most),
            query.lte.map_or(i64::MAX, at_most),
        );
        let (limit, bytes) = (row_limit(query.limit), row_limit(bytes));
        self.read("reading events", |connection| {
            connection.query(sql, &[&*param, &gt, &lte, &limit, &bytes])
        })
    }
}

/// Returns the longest of the states that are below the limit of bytes in a page of any such.
fn longest(query: &EventQuery) -> usize {
    match query.byte_limit {
        usize::MAX => usize::MAX,
        // The page ends with the state that reaches the limit, and one of no bytes reaches none.
        bytes => bytes.saturating_sub(1) / query.limit.max(1),
    }
}

fn is_snapshot(row: &Row) -> bool {
    row.try_get(3).unwrap_or(false)
}
