//! An event as it is stored.

use std::borrow::Cow;

use es_core::{AggregateId, IdType};

use crate::error::StoreError;

/// An event as it is stored: its aggregate, its version, its topic, and its encoded state.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredEvent {
    /// The aggregate that made the event.
    pub originator_id: AggregateId,
    /// The version of the aggregate after the event: 1 for the first event. At most `i64::MAX`.
    pub originator_version: u64,
    /// The stored name of the event, such as `dogschool:Dog.TrickAdded`.
    pub topic: Cow<'static, str>,
    /// The time and the fields, as the [`Mapper`](crate::Mapper) encodes them.
    pub state: Vec<u8>,
}

impl StoredEvent {
    /// Creates the event of the aggregate `id` at `version`.
    pub fn new(
        id: impl Into<AggregateId>,
        version: u64,
        topic: impl Into<Cow<'static, str>>,
        state: Vec<u8>,
    ) -> Self {
        Self {
            originator_id: id.into(),
            originator_version: version,
            topic: topic.into(),
            state,
        }
    }

    /// Checks the rules that are the same for every store. Every store calls this before it writes
    /// an event or a snapshot.
    ///
    /// # Errors
    /// Fails with [`StoreError::IdType`] when the id does not have the form that the store keeps,
    /// and with [`StoreError::Invalid`] when the version is 0 or above `i64::MAX`.
    pub fn check(&self, id_type: IdType) -> Result<(), StoreError> {
        let (id, version) = (&self.originator_id, self.originator_version);
        if id.id_type() != id_type {
            return Err(StoreError::IdType {
                id: id.clone(),
                expected: id_type,
            });
        }
        let problem = match i64::try_from(version) {
            Ok(0) => "is invalid: versions begin at 1",
            Ok(_) => return Ok(()),
            Err(_) => "is too large",
        };
        Err(StoreError::Invalid(format!(
            "version {version} of aggregate {id} {problem}"
        )))
    }
}
