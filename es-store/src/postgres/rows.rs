//! Decoding of rows, in which any value may be damaged.

use std::borrow::Cow;

use es_core::{AggregateId, IdType};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql};

use super::label::PostgresLabel;
use crate::digest::{Digest, FIRST};
use crate::error::StoreError;
use crate::notification::{Head, Notification};
use crate::sql::followed::Columns;
use crate::stored_event::StoredEvent;
use crate::upstream_event::UpstreamEvent;

/// Returns the id of an aggregate as a parameter.
pub(super) fn id_param(id: &AggregateId) -> Box<dyn ToSql + Sync + '_> {
    match id {
        AggregateId::Uuid(uuid) => Box::new(*uuid),
        AggregateId::Text(text) => Box::new(&**text),
    }
}

/// The decoder of one application's rows.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) label: &'a PostgresLabel,
    pub(super) id_type: IdType,
}

impl Rows<'_> {
    pub(super) fn event(&self, id: &AggregateId, row: &Row) -> Result<StoredEvent, StoreError> {
        let of = |at: &str| format!("of aggregate {id}{at}");
        let version = version(row, 0).map_err(|problem| self.label.damaged(of(""), problem))?;
        let damaged = |problem| {
            self.label
                .damaged(of(&format!(" at version {version}")), problem)
        };
        Ok(StoredEvent {
            originator_id: id.clone(),
            originator_version: version,
            topic: topic(row, 1).map_err(damaged)?,
            state: state(row, 2).map_err(damaged)?,
        })
    }

    pub(super) fn notification(&self, row: &Row) -> Result<Notification, StoreError> {
        let position = self.position(row, 0)?;
        let damaged = |problem| {
            self.label
                .damaged(format!("at position {position}"), problem)
        };
        let event = StoredEvent::new(
            self.id(row, 1).map_err(damaged)?,
            version(row, 2).map_err(damaged)?,
            topic(row, 3).map_err(damaged)?,
            state(row, 4).map_err(damaged)?,
        );
        Ok(Notification {
            id: position,
            event,
        })
    }

    pub(super) fn head(&self, row: &Row) -> Result<Head, StoreError> {
        Ok(Head {
            position: self.position(row, 0)?,
            event: self.upstream_event(row),
        })
    }

    /// Returns the event of a row that has the parts of its state, or `None` if its id or version
    /// is damaged.
    pub(super) fn upstream_event(&self, row: &Row) -> Option<UpstreamEvent> {
        let event = UpstreamEvent::new(self.id(row, 1).ok()?, version(row, 2).ok()?);
        Some(match digest(row) {
            Some(digest) => event.digest(digest),
            None => event,
        })
    }

    pub(super) fn tracked(&self, upstream: &str, row: &Row) -> Result<Option<u64>, StoreError> {
        let found: Option<i64> =
            get(row, 0).map_err(|problem| self.no_position(upstream, problem))?;
        found
            .map(|found| {
                u64::try_from(found).map_err(|_| self.no_position(upstream, String::new()))
            })
            .transpose()
    }

    /// Returns the position of a row.
    pub(super) fn position(&self, row: &Row, index: usize) -> Result<u64, StoreError> {
        let found: i64 =
            get(row, index).map_err(|problem| self.label.damaged("without a position", problem))?;
        match u64::try_from(found) {
            Ok(position) if position > 0 => Ok(position),
            _ => Err(self.label.damaged(
                format!("with notification_id {found}"),
                "it is not a valid position",
            )),
        }
    }

    pub(super) fn id(&self, row: &Row, index: usize) -> Result<AggregateId, String> {
        match self.id_type {
            IdType::Uuid => get(row, index).map(AggregateId::Uuid),
            IdType::Text => get(row, index).map(|text: &str| AggregateId::from(text)),
        }
    }

    fn no_position(&self, upstream: &str, problem: String) -> StoreError {
        let problem = format!("its position is not a valid position {problem}");
        self.label
            .damaged(format!("of tracking for `{upstream}`"), problem.trim_end())
    }
}

pub(super) fn version(row: &Row, index: usize) -> Result<u64, String> {
    let version: i64 = get(row, index)?;
    u64::try_from(version)
        .map_err(|_| format!("its originator_version is {version}, not a positive integer"))
}

/// Returns the digest of a row with the columns `topic` and the parts of `state`, if neither is
/// null.
fn digest(row: &Row) -> Option<Digest> {
    let (topic, parts): (&str, &[u8]) = (get(row, 3).ok()?, get(row, 4).ok()?);
    let (length, ends) = parts.split_first_chunk()?;
    let length = u64::from_be_bytes(*length);
    let first = usize::try_from(length).unwrap_or(usize::MAX).min(FIRST);
    let (first, last) = ends.split_at_checked(first)?;
    Some(Digest::of_parts(topic, length, first, last))
}

fn topic(row: &Row, index: usize) -> Result<Cow<'static, str>, String> {
    get(row, index).map(Cow::Owned)
}

fn state(row: &Row, index: usize) -> Result<Vec<u8>, String> {
    get(row, index)
}

impl Columns for Row {
    fn integer(&self, index: usize) -> Result<Option<i64>, String> {
        get(self, index)
    }

    fn text(&self, index: usize) -> Result<Option<&str>, String> {
        get(self, index)
    }
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Result<T, String> {
    let wrong = |_| {
        let column = row.columns().get(index);
        let (name, kind) = column.map_or(("", ""), |column| (column.name(), column.type_().name()));
        format!("its {name} is null, or the column's type {kind} is wrong")
    };
    row.try_get(index).map_err(wrong)
}
