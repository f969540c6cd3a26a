//! Compares values with what was stored of them, for tests. A type may be stored without an error
//! and come back as another value, because its own serde impls lose something.

use es_core::{Aggregate, EventSet, FieldError};

use super::Mapper;
use crate::error::MapperError;
use crate::stored_event::StoredEvent;

impl Mapper {
    /// Compares an event with `stored`, which it was encoded to. Only fields whose types have
    /// `PartialEq` are compared.
    ///
    /// # Errors
    /// Fails when `stored` cannot be decoded, or when a field has come back as another value.
    pub fn compare_event<E: EventSet>(
        &self,
        event: &E,
        stored: &StoredEvent,
    ) -> Result<(), MapperError> {
        let decoded = self.decode::<E>(stored)?;
        match event.__changed_field(&decoded.payload) {
            Some(field) => Err(other_value(stored, &stored.topic, field)),
            None => Ok(()),
        }
    }

    /// Compares the state of an aggregate with `snapshot`, which it was encoded to. Only fields
    /// whose types have `PartialEq` are compared, and none that serde skips.
    ///
    /// # Errors
    /// Fails when `snapshot` cannot be decoded, or when a field has come back as another value.
    pub fn compare_snapshot<A: Aggregate>(
        &self,
        aggregate: &A,
        snapshot: &StoredEvent,
    ) -> Result<(), MapperError> {
        let Some(decoded) = self.decode_snapshot::<A>(snapshot) else {
            return Ok(());
        };
        match A::__changed_field(aggregate.state(), decoded?.state()) {
            Some(field) => Err(other_value(snapshot, A::TOPIC, field)),
            None => Ok(()),
        }
    }
}

fn other_value(stored: &StoredEvent, topic: &str, field: &str) -> MapperError {
    let problem = "it would come back as another value: its type is read as something else than it was written";
    MapperError {
        topic: topic.to_owned(),
        id: stored.originator_id.clone(),
        version: stored.originator_version,
        problem: FieldError::new(field, problem).into(),
    }
}
