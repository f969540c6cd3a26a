//! The identity of an aggregate.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// The identity of an aggregate: a UUID, or text.
///
/// All aggregates of one application have ids of one [`IdType`], which its environment sets
/// (`ORIGINATOR_ID_TYPE`). Cloning is cheap. An id can be a field of an event: a UUID is stored as
/// a UUID, and text as text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AggregateId {
    /// A UUID, shown with dashes.
    Uuid(Uuid),
    /// Any text, for applications with `ORIGINATOR_ID_TYPE=text`.
    Text(Arc<str>),
}

/// The form of the ids of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum IdType {
    /// UUIDs, the default.
    #[default]
    Uuid,
    /// Text.
    Text,
}

impl AggregateId {
    /// Returns the form of this id.
    pub fn id_type(&self) -> IdType {
        match self {
            Self::Uuid(_) => IdType::Uuid,
            Self::Text(_) => IdType::Text,
        }
    }

    /// Returns the UUID, or `None` for text.
    pub fn as_uuid(&self) -> Option<Uuid> {
        match self {
            Self::Uuid(uuid) => Some(*uuid),
            Self::Text(_) => None,
        }
    }
}

impl fmt::Display for AggregateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(uuid) => fmt::Display::fmt(uuid, f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for AggregateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(uuid) => fmt::Display::fmt(uuid, f),
            Self::Text(text) => fmt::Debug::fmt(text, f),
        }
    }
}

impl fmt::Display for IdType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uuid => "uuid",
            Self::Text => "text",
        })
    }
}

impl From<Uuid> for AggregateId {
    fn from(uuid: Uuid) -> Self {
        Self::Uuid(uuid)
    }
}

impl From<&AggregateId> for AggregateId {
    fn from(id: &AggregateId) -> Self {
        id.clone()
    }
}

impl From<&str> for AggregateId {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for AggregateId {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl PartialEq<Uuid> for AggregateId {
    fn eq(&self, other: &Uuid) -> bool {
        self.as_uuid() == Some(*other)
    }
}

impl PartialEq<&str> for AggregateId {
    fn eq(&self, other: &&str) -> bool {
        matches!(self, Self::Text(text) if **text == **other)
    }
}

/// The name of the newtype struct over its text as which a UUID serialises for a transcoder.
const UUID_HEX: &str = "$transcoded::uuid_hex";

impl Serialize for AggregateId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Uuid(uuid) => serializer.serialize_newtype_struct(
                UUID_HEX,
                uuid.as_simple().encode_lower(&mut Uuid::encode_buffer()),
            ),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// An id in a stored event is read in its own form. Formats that do not distinguish the two forms
/// give a UUID for every text that is one.
impl<'de> Deserialize<'de> for AggregateId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(UUID_HEX, IdVisitor)
    }
}

struct IdVisitor;

impl<'de> de::Visitor<'de> for IdVisitor {
    type Value = AggregateId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a UUID, or text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<AggregateId, E> {
        Ok(text.into())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<AggregateId, D::Error> {
        let text = String::deserialize(inner)?;
        Ok(Uuid::try_parse(&text).map_or_else(|_| text.into(), AggregateId::Uuid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_and_the_text_of_a_uuid_are_different_ids() {
        let uuid = Uuid::NAMESPACE_URL;
        let text = AggregateId::from(uuid.to_string());
        assert_ne!(AggregateId::from(uuid), text);
        assert_eq!(AggregateId::from(uuid).to_string(), text.to_string());
        assert_eq!(AggregateId::from(uuid), uuid);
        assert_eq!(AggregateId::from("dog-1"), "dog-1");
    }
}
