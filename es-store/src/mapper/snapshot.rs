//! Snapshots to stored rows, and back.
//!
//! Python keeps the attributes of its object, so the fields of a state stand beside its two times, in one object. A
//! state that is no object (a tuple, a unit, an enum without fields) stands there as a whole, under a key of its own.

use std::borrow::Cow;

use es_core::{Aggregate, FieldError, FieldReader, FieldWriter, Root, StoredField, Timestamp};

use super::{Mapper, upcast};
use crate::transcoder::{JsonReader, JsonWriter};
use crate::{MapperError, MapperProblem, StoredEvent};

/// The topic of all snapshots: the name of Python's class for them.
const TOPIC: &str = "eventsourcing.domain:Snapshot";
/// What errors call the state as a whole.
const STATE: &str = "state";
/// Under this key stands a state that has no fields.
const WHOLE: &str = "_state";
/// What stands beside the fields of a state, and what Python keeps in the same place of its object.
const RESERVED: [&str; 6] = [
    "_created_on",
    "_modified_on",
    upcast::CLASS_VERSION,
    "_id",
    "_version",
    "_pending_events",
];

impl Mapper {
    /// Encodes a snapshot of an aggregate, taken at `timestamp`; `None` if its state cannot be stored.
    ///
    /// # Errors
    /// When a field cannot be written, or has a name that is reserved.
    pub fn encode_snapshot<A: Aggregate>(
        &self,
        aggregate: &A,
        timestamp: Timestamp,
    ) -> Option<Result<StoredEvent, MapperError>> {
        let stored = |state| StoredEvent {
            originator_id: aggregate.id().clone(),
            originator_version: aggregate.version(),
            topic: Cow::Borrowed(TOPIC),
            state,
        };
        let sealed = encode(aggregate, timestamp)?
            .map_err(MapperProblem::from)
            .and_then(|state| self.seal(state));
        Some(match sealed {
            Ok(state) => Ok(stored(state)),
            Err(problem) => Err(refused(&stored(Vec::new()), problem)),
        })
    }

    /// Decodes a snapshot of an aggregate; `None` if its state cannot be stored.
    ///
    /// # Errors
    /// When it is of another aggregate, damaged, or newer than this program, does not fit the state as it is now, or an
    /// upcaster fails or panics.
    pub fn decode_snapshot<A: Aggregate>(
        &self,
        stored: &StoredEvent,
    ) -> Option<Result<A, MapperError>> {
        let opened = self.open(&stored.state);
        let restored = opened.and_then(|state| decode::<A>(stored, &state));
        Some(
            restored
                .transpose()?
                .map_err(|problem| refused(stored, problem)),
        )
    }
}

fn refused(stored: &StoredEvent, problem: impl Into<MapperProblem>) -> MapperError {
    MapperError {
        topic: stored.topic.clone().into_owned(),
        id: stored.originator_id.clone(),
        version: stored.originator_version,
        problem: problem.into(),
    }
}

fn encode<A: Aggregate>(
    aggregate: &A,
    timestamp: Timestamp,
) -> Option<Result<Vec<u8>, FieldError>> {
    let mut attributes = Attributes(JsonWriter::new());
    let times = attributes
        .0
        .put_reserved("_created_on", &aggregate.created_on())
        .and_then(|()| {
            attributes
                .0
                .put_reserved("_modified_on", &aggregate.modified_on())
        });
    let put = A::__put_state(aggregate.state(), &mut attributes)?;
    Some(times.and(put).and_then(|()| {
        upcast::put_version(&mut attributes.0, A::__VERSION)?;
        let mut snapshot = JsonWriter::new();
        snapshot.put_reserved("timestamp", &timestamp)?;
        snapshot.put_reserved("topic", A::TOPIC)?;
        snapshot.put_written("state", &attributes.0.finish())?;
        Ok(snapshot.finish())
    }))
}

fn decode<A: Aggregate>(stored: &StoredEvent, state: &[u8]) -> Result<Option<A>, MapperProblem> {
    if stored.topic != TOPIC {
        return Err(MapperProblem::UnknownTopic);
    }
    let mut snapshot = JsonReader::new(state).map_err(MapperProblem::Damaged)?;
    let topic: String = snapshot.take("topic")?;
    if topic != A::TOPIC {
        return Err(MapperProblem::OtherAggregate {
            found: topic,
            expected: A::TOPIC,
        });
    }
    let state = snapshot.written("state")?;
    let mut state = JsonReader::new(state.get().as_bytes()).map_err(MapperProblem::Damaged)?;
    let times = [state.take("_created_on")?, state.take("_modified_on")?];
    let state = upcast::read_current(state, &RESERVED, A::__VERSION, A::__upcast, |state| {
        A::__take_state(&mut StateReader(state))
    })?;
    let Some(state) = state else {
        return Ok(None);
    };
    let (id, version) = (stored.originator_id.clone(), stored.originator_version);
    let root = Root::__restored(id, version, times, state?);
    Ok(Some(A::__from_root(root)))
}

/// Writes a state beside the two times.
struct Attributes(JsonWriter);

impl FieldWriter for Attributes {
    fn put<T: StoredField>(&mut self, key: &'static str, value: &T) -> Result<(), FieldError> {
        self.0.put(key, value)
    }

    fn put_all<T: StoredField>(&mut self, state: &T) -> Result<(), FieldError> {
        let written = JsonWriter::written(STATE, state)?;
        match JsonReader::new(&written) {
            Ok(fields) if fields.has(WHOLE) => Err(FieldError::new(WHOLE, "the name is reserved")),
            Ok(fields) => self.0.put_each(&fields, &RESERVED),
            Err(_) => self.0.put_written(WHOLE, &written),
        }
    }
}

/// Reads a state from among what stands beside it.
struct StateReader<'a>(JsonReader<'a>);

impl FieldReader for StateReader<'_> {
    fn take<T: StoredField>(&mut self, key: &'static str) -> Result<T, FieldError> {
        self.0.take(key)
    }

    fn take_all<T: StoredField>(&mut self) -> Result<T, FieldError> {
        match self.0.has(WHOLE) {
            true => self.0.take(WHOLE),
            false => self.0.take_all_but(&RESERVED, STATE),
        }
    }
}
