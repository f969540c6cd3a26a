//! Reads rows. Every value in them may be damaged.

use es_core::{AggregateId, IdType};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Params, Row, ToSql, params};

use super::codes;
use super::columns::{IdText, id, position, state, text, topic, version};
use crate::digest::Digest;
use crate::error::StoreError;
use crate::event_query::{EventQuery, History};
use crate::notification::{Head, Notification, NotificationPage, NotificationQuery};
use crate::sql::label::Label;
use crate::sql::limits::{at_most, row_limit};
use crate::stored_event::StoredEvent;
use crate::upstream_event::UpstreamEvent;

const NOTIFICATIONS: &str = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events \
     WHERE rowid > ?1 AND rowid <= ?2 ORDER BY rowid LIMIT ?3";

/// A topic that is not text may stand for any topic. It is reported as damage, and not skipped.
const BY_TOPIC: &str = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events \
     WHERE rowid > ?1 AND rowid <= ?2 \
     AND (topic IN (SELECT value FROM json_each(?4)) OR typeof(topic) <> 'text') ORDER BY rowid LIMIT ?3";

/// A topic of an aggregate begins with one of the prefixes, and has no further dot behind it.
const BY_TOPIC_OR_AGGREGATE: &str = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events \
     WHERE rowid > ?1 AND rowid <= ?2 \
     AND (topic IN (SELECT value FROM json_each(?4)) OR typeof(topic) <> 'text' OR EXISTS ( \
     SELECT 1 FROM json_each(?5) WHERE substr(topic, 1, length(value)) = value \
     AND instr(substr(topic, length(value) + 1), '.') = 0)) ORDER BY rowid LIMIT ?3";

/// Reads the rows of one database.
pub(super) struct Reader<'a> {
    pub(super) connection: &'a Connection,
    pub(super) label: &'a Label,
    pub(super) id_type: IdType,
}

impl Reader<'_> {
    pub(super) fn events(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.of_aggregate("stored_events", "reading events", id, query)
    }

    pub(super) fn snapshots(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.of_aggregate("stored_snapshots", "reading snapshots", id, query)
    }

    /// Returns the newest snapshot and the events after it, in one transaction, which locks the
    /// file once.
    pub(super) fn history(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<History, StoreError> {
        let begun = self.connection.unchecked_transaction();
        let _transaction =
            begun.map_err(|error| codes::failed(self.label, "reading events", error))?;
        let newest = EventQuery {
            lte: query.lte,
            ..EventQuery::all().desc().limit(1)
        };
        let snapshot = self.snapshots(id, &newest)?.into_iter().next();
        let events = self.events(id, &query.behind(snapshot.as_ref()))?;
        Ok(History::new(snapshot, events))
    }

    fn of_aggregate(
        &self,
        table: &str,
        doing: &'static str,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        // Without a bound there is no condition, because a condition would skip rows whose version
        // is not a number.
        let mut sql = format!(
            "SELECT originator_version, topic, state FROM {table} WHERE originator_id = ?1"
        );
        sql += if query.gt.is_some() {
            " AND originator_version > ?2"
        } else {
            " AND ?2 IS NULL"
        };
        sql += if query.lte.is_some() {
            " AND originator_version <= ?3"
        } else {
            " AND ?3 IS NULL"
        };
        sql += " ORDER BY originator_version";
        sql += if query.desc {
            " DESC LIMIT ?4"
        } else {
            " LIMIT ?4"
        };
        let bounds = (query.gt.map(at_most), query.lte.map(at_most));
        let id_text = IdText::of(id);
        let params = params![id_text.as_str(), bounds.0, bounds.1, row_limit(query.limit)];
        let mut bytes = 0;
        self.collect_until(doing, &sql, params, |row| {
            let event = self.event(id, row)?;
            bytes += event.state.len();
            Ok((event, query.is_reached_by(bytes)))
        })
    }

    pub(super) fn notifications(
        &self,
        query: &NotificationQuery,
    ) -> Result<Vec<Notification>, StoreError> {
        let after = match query.start {
            Some(start) if query.inclusive_of_start => start.checked_sub(1).map(at_most),
            start => start.map(at_most),
        };
        let (after, stop) = (
            after.unwrap_or(i64::MIN),
            query.stop.map_or(i64::MAX, at_most),
        );
        let limit = row_limit(query.limit);
        let read = |sql, params: &[&dyn ToSql]| {
            // The rows are read one by one, so nothing is read behind the limit.
            let mut bytes = 0;
            self.collect_until("reading notifications", sql, params, |row| {
                let notification = self.notification(row)?;
                bytes += notification.state.len();
                Ok((notification, query.is_reached_by(bytes)))
            })
        };
        match &query.topics {
            None => read(NOTIFICATIONS, &[&after, &stop, &limit]),
            Some(filter) if filter.aggregates.is_empty() => {
                let topics = json_array(&filter.topics);
                read(BY_TOPIC, &[&after, &stop, &limit, &topics])
            }
            Some(filter) => {
                let topics = json_array(&filter.topics);
                let prefixes = json_array(&filter.prefixes());
                let params: &[&dyn ToSql] = &[&after, &stop, &limit, &topics, &prefixes];
                read(BY_TOPIC_OR_AGGREGATE, params)
            }
        }
    }

    /// Returns notifications and the event at which the query starts, in one transaction, which
    /// reads one state of the database.
    pub(super) fn page(&self, query: &NotificationQuery) -> Result<NotificationPage, StoreError> {
        let begun = self.connection.unchecked_transaction();
        let _transaction =
            begun.map_err(|error| codes::failed(self.label, "reading notifications", error))?;
        let start = match query.start {
            Some(start) => self.event_at(start)?,
            None => None,
        };
        let notifications = self.notifications(query)?;
        Ok(NotificationPage::new(start, notifications))
    }

    pub(super) fn head(&self) -> Result<Option<Head>, StoreError> {
        let sql = "SELECT rowid, originator_id, originator_version, topic, state \
                   FROM stored_events ORDER BY rowid DESC LIMIT 1";
        let head = |row: &Row<'_>| {
            let position = position(self.label, self.get(row, 0)?.as_i64().unwrap_or_default())?;
            Ok(Head::new(position, self.upstream_event(row, 1)?))
        };
        Ok(self.collect("reading the head", sql, [], head)?.pop())
    }

    pub(super) fn event_at(&self, position: u64) -> Result<Option<UpstreamEvent>, StoreError> {
        let sql = "SELECT originator_id, originator_version, topic, state \
                   FROM stored_events WHERE rowid = ?1 AND rowid > 0";
        let Ok(position) = i64::try_from(position) else {
            return Ok(None);
        };
        let event = |row: &Row<'_>| self.upstream_event(row, 0);
        let found = self.collect("reading an event", sql, [position], event)?;
        Ok(found.into_iter().next().flatten())
    }

    /// Returns the event whose columns begin at `first`, if its id and version can be read.
    fn upstream_event(
        &self,
        row: &Row<'_>,
        first: usize,
    ) -> Result<Option<UpstreamEvent>, StoreError> {
        let get = |index| self.get(row, first + index);
        let id = id(get(0)?, self.id_type);
        let (Ok(id), Ok(version)) = (id, version(get(1)?)) else {
            return Ok(None);
        };
        let event = UpstreamEvent::new(id, version);
        Ok(Some(match (text(get(2)?), get(3)?) {
            (Some(topic), ValueRef::Blob(state)) => event.digest(Digest::of(topic, state)),
            _ => event,
        }))
    }

    pub(super) fn tracked(&self, upstream: &str) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT MAX(notification_id) FROM tracking WHERE application_name = ?1";
        let tracked = |row: &Row<'_>| match self.get(row, 0)? {
            ValueRef::Null => Ok(None),
            value => value
                .as_i64()
                .ok()
                .and_then(|position| u64::try_from(position).ok())
                .map(Some)
                .ok_or_else(|| {
                    self.label.damaged(
                        format!("of tracking for `{upstream}`"),
                        "its position is not a whole number of 0 or more",
                    )
                }),
        };
        Ok(self
            .collect("reading the position", sql, [upstream], tracked)?
            .pop()
            .flatten())
    }

    fn event(&self, id: &AggregateId, row: &Row<'_>) -> Result<StoredEvent, StoreError> {
        let of = |at: &str| format!("of aggregate {id}{at}");
        let version =
            version(self.get(row, 0)?).map_err(|problem| self.label.damaged(of(""), problem))?;
        let damaged = |problem| {
            self.label
                .damaged(of(&format!(" at version {version}")), problem)
        };
        let topic = topic(self.get(row, 1)?).map_err(damaged)?;
        let state = state(self.get(row, 2)?).map_err(damaged)?;
        Ok(StoredEvent::new(id.clone(), version, topic, state))
    }

    fn notification(&self, row: &Row<'_>) -> Result<Notification, StoreError> {
        let position = position(self.label, self.get(row, 0)?.as_i64().unwrap_or_default())?;
        let damaged = |problem| {
            self.label
                .damaged(format!("at position {position}"), problem)
        };
        let id = id(self.get(row, 1)?, self.id_type).map_err(damaged)?;
        let version = version(self.get(row, 2)?).map_err(damaged)?;
        let topic = topic(self.get(row, 3)?).map_err(damaged)?;
        let state = state(self.get(row, 4)?).map_err(damaged)?;
        let event = StoredEvent::new(id, version, topic, state);
        Ok(Notification::new(position, event))
    }

    fn get<'r>(&self, row: &'r Row<'_>, index: usize) -> Result<ValueRef<'r>, StoreError> {
        row.get_ref(index)
            .map_err(|error| codes::failed(self.label, "reading a row", error))
    }

    fn collect<T>(
        &self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.collect_until(doing, sql, params, |row| Ok((read(row)?, false)))
    }

    /// Collects rows up to the first one for which `read` returns true.
    pub(super) fn collect_until<T>(
        &self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<(T, bool), StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let failed = |error| codes::failed(self.label, doing, error);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(params).map_err(failed)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let (one, is_last) = read(row)?;
            all.push(one);
            if is_last {
                break;
            }
        }
        Ok(all)
    }
}

/// Returns texts as the array that `json_each` reads. It would cut a text off at a zero byte, which
/// no topic has.
fn json_array(texts: &[String]) -> String {
    let texts = texts.iter().filter(|text| !text.contains('\0'));
    serde_json::Value::from_iter(texts.map(String::as_str)).to_string()
}
