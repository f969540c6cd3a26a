//! Reads the columns of a row. Each of them may be damaged.

use std::borrow::Cow;
use std::sync::Arc;

use es_core::{AggregateId, IdType};
use rusqlite::types::ValueRef;
use uuid::Uuid;

use crate::error::StoreError;
use crate::sql::label::Label;

/// The stored form of an id: a UUID as 32 hex digits without dashes, or the text itself.
pub(super) enum IdText {
    Uuid([u8; 32]),
    Text(Arc<str>),
}

impl IdText {
    pub(super) fn of(id: &AggregateId) -> Self {
        match id {
            AggregateId::Uuid(uuid) => {
                let mut digits = [0; 32];
                uuid.simple().encode_lower(&mut digits);
                Self::Uuid(digits)
            }
            AggregateId::Text(text) => Self::Text(text.clone()),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Uuid(digits) => str::from_utf8(digits).unwrap_or_default(),
            Self::Text(text) => text,
        }
    }
}

/// Returns the position of a row.
pub(super) fn position(label: &Label, rowid: i64) -> Result<u64, StoreError> {
    match u64::try_from(rowid) {
        Ok(position) if position > 0 => Ok(position),
        _ => Err(label.damaged(format!("with rowid {rowid}"), "a position is 1 or more")),
    }
}

/// Reads the id of an aggregate.
pub(super) fn id(value: ValueRef<'_>, id_type: IdType) -> Result<AggregateId, String> {
    let text = text(value).ok_or_else(|| wrong("originator_id", value, "text"))?;
    match id_type {
        IdType::Text => Ok(AggregateId::from(text)),
        // A UUID with dashes or capitals would not be found by its id.
        IdType::Uuid
            if text.len() == 32 && !text.contains(|digit: char| digit.is_ascii_uppercase()) =>
        {
            Uuid::try_parse(text)
                .map(AggregateId::Uuid)
                .map_err(|_| NO_UUID.to_owned())
        }
        IdType::Uuid => Err(NO_UUID.to_owned()),
    }
}

const NO_UUID: &str = "its originator_id is no UUID of 32 hex digits";

/// Reads the version of an event.
pub(super) fn version(value: ValueRef<'_>) -> Result<u64, String> {
    let version = value
        .as_i64()
        .ok()
        .and_then(|version| u64::try_from(version).ok());
    version.ok_or_else(|| wrong("originator_version", value, "a positive integer"))
}

/// Reads the topic of an event.
pub(super) fn topic(value: ValueRef<'_>) -> Result<Cow<'static, str>, String> {
    match text(value) {
        Some(topic) => Ok(Cow::Owned(topic.to_owned())),
        None => Err(wrong("topic", value, "text")),
    }
}

/// Reads the state of an event.
pub(super) fn state(value: ValueRef<'_>) -> Result<Vec<u8>, String> {
    match value {
        ValueRef::Blob(state) => Ok(state.to_vec()),
        _ => Err(wrong("state", value, "a blob")),
    }
}

/// Returns the value as text, if it is text in UTF-8.
pub(super) fn text(value: ValueRef<'_>) -> Option<&str> {
    match value {
        ValueRef::Text(text) => str::from_utf8(text).ok(),
        _ => None,
    }
}

fn wrong(column: &str, found: ValueRef<'_>, expected: &str) -> String {
    format!(
        "its {column} is of type {}, not {expected}",
        found.data_type()
    )
}
