//! The identity of an event at a position of a log.

use es_core::AggregateId;

use crate::digest::Digest;
use crate::stored_event::StoredEvent;

/// The event at a position of a log: an upstream's, or the application's own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpstreamEvent {
    /// The aggregate of the event.
    pub originator_id: AggregateId,
    /// The version of the event.
    pub originator_version: u64,
    /// The digest of the event; `None` if it is not known. It is not known, for example, if an
    /// older program recorded the position, or the event's row is damaged.
    pub digest: Option<Digest>,
}

impl UpstreamEvent {
    /// Creates the event of aggregate `originator_id` at version `originator_version`, whose digest
    /// is not known.
    pub fn new(originator_id: impl Into<AggregateId>, originator_version: u64) -> Self {
        Self {
            originator_id: originator_id.into(),
            originator_version,
            digest: None,
        }
    }

    /// Returns the same event with its digest.
    #[must_use]
    pub fn digest(self, digest: Digest) -> Self {
        Self {
            digest: Some(digest),
            ..self
        }
    }

    /// Returns false if the two are different events, as far as both are known.
    pub fn may_be(&self, other: &Self) -> bool {
        let is_other_content = match (self.digest, other.digest) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        };
        self.originator_id == other.originator_id
            && self.originator_version == other.originator_version
            && !is_other_content
    }
}

impl From<&StoredEvent> for UpstreamEvent {
    fn from(event: &StoredEvent) -> Self {
        Self {
            originator_id: event.originator_id.clone(),
            originator_version: event.originator_version,
            digest: Some(Digest::of(&event.topic, &event.state)),
        }
    }
}
