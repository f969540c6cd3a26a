//! The identity of an aggregate.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

/// The identity of an aggregate: a UUID, or text.
///
/// All aggregates of one application have ids of one [`IdType`], as its environment says
/// (`ORIGINATOR_ID_TYPE`). Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AggregateId {
    /// A UUID, shown with dashes.
    Uuid(Uuid),
    /// Any text, for applications whose environment says `ORIGINATOR_ID_TYPE=text`.
    Text(Arc<str>),
}

/// Which of the two forms the ids of an application have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum IdType {
    /// UUIDs, the default.
    #[default]
    Uuid,
    /// Text.
    Text,
}

impl AggregateId {
    /// Which form this id has.
    pub fn id_type(&self) -> IdType {
        match self {
            Self::Uuid(_) => IdType::Uuid,
            Self::Text(_) => IdType::Text,
        }
    }

    /// The UUID, if it is one.
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
