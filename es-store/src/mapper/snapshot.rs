//! Maps snapshots to stored rows, and back.
//!
//! Python stores the attributes of its object, so the fields of a state are stored beside its two
//! times, in one object. A state that is not an object (a tuple, a unit, an enum without fields) is
//! stored there as a whole, under a key of its own.

use es_core::{Aggregate, FieldError, FieldReader, FieldWriter, Root, StoredField, Timestamp};

use super::snapshot_fields::{self, WHOLE};
use super::upcast::{self, Steps};
use super::{Mapper, refused};
use crate::error::{MapperError, MapperProblem};
use crate::format::Format;
use crate::stored_event::StoredEvent;
use crate::transcoder::{JsonReader, JsonWriter};

/// The name of a whole state in errors.
const STATE: &str = "state";

impl Mapper {
    /// Encodes a snapshot of an aggregate, taken at `timestamp`. Returns `None` if the state cannot
    /// be stored.
    ///
    /// # Errors
    /// Fails when a field cannot be written, or its name is reserved.
    pub fn encode_snapshot<A: Aggregate>(
        &self,
        aggregate: &A,
        timestamp: Timestamp,
    ) -> Option<Result<StoredEvent, MapperError>> {
        let topic = self.format.snapshot_topic();
        let stored = |state| StoredEvent::new(aggregate.id(), aggregate.version(), topic, state);
        let sealed = encode(self.format, aggregate, timestamp)?
            .map_err(MapperProblem::from)
            .and_then(|state| self.seal(state));
        Some(match sealed {
            Ok(state) => Ok(stored(state)),
            Err(problem) => Err(refused(&stored(Vec::new()), problem)),
        })
    }

    /// Returns the number of bytes of a state in a snapshot, before they are compressed and
    /// encrypted. Returns `None` if the state cannot be stored.
    pub fn state_bytes<A: Aggregate>(&self, state: &A::State) -> Option<usize> {
        let mut attributes = Attributes {
            json: JsonWriter::new(),
            format: self.format,
        };
        A::__put_state(state, &mut attributes)?.ok()?;
        Some(attributes.json.finish().len())
    }

    /// Returns a state as JSON, in the form in which a snapshot has it. Returns `None` if it cannot
    /// be stored.
    ///
    /// # Errors
    /// Fails when a field cannot be written, or its name is reserved.
    pub fn state_json<A: Aggregate>(&self, state: &A::State) -> Option<Result<String, FieldError>> {
        let mut attributes = Attributes {
            json: JsonWriter::new(),
            format: self.format,
        };
        let put = A::__put_state(state, &mut attributes)?;
        Some(put.map(|()| String::from_utf8_lossy(&attributes.json.finish()).into_owned()))
    }

    /// Decodes a snapshot of an aggregate. Returns `None` if the state cannot be stored.
    ///
    /// # Errors
    /// Fails when the snapshot belongs to another aggregate, is damaged or is newer than this
    /// program, its fields are not those that the current state writes, or an upcaster fails or
    /// panics.
    pub fn decode_snapshot<A: Aggregate>(
        &self,
        stored: &StoredEvent,
    ) -> Option<Result<A, MapperError>> {
        let opened = self.open(&stored.state);
        let restored = opened.and_then(|state| decode::<A>(self.format, stored, &state));
        Some(
            restored
                .transpose()?
                .map_err(|problem| refused(stored, problem)),
        )
    }
}

fn encode<A: Aggregate>(
    format: Format,
    aggregate: &A,
    timestamp: Timestamp,
) -> Option<Result<Vec<u8>, FieldError>> {
    let mut attributes = Attributes {
        json: JsonWriter::new(),
        format,
    };
    let keys = format.snapshot_time_keys();
    let times = keys
        .iter()
        .zip([aggregate.created_on(), aggregate.modified_on()])
        .try_for_each(|(key, time)| attributes.json.put_reserved(key, &time));
    let put = A::__put_state(aggregate.state(), &mut attributes)?;
    Some(times.and(put).and_then(|()| {
        let mut attributes = attributes.json;
        upcast::put_version(format, &mut attributes, A::__VERSION)?;
        let mut snapshot = JsonWriter::new();
        snapshot.put_reserved(format.timestamp_key(), &timestamp)?;
        snapshot.put_reserved("topic", A::TOPIC)?;
        snapshot.put_written("state", &attributes.finish())?;
        Ok(snapshot.finish())
    }))
}

fn decode<A: Aggregate>(
    format: Format,
    stored: &StoredEvent,
    state: &[u8],
) -> Result<Option<A>, MapperProblem> {
    if stored.topic != format.snapshot_topic() {
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
    let [created_on, modified_on] = format.snapshot_time_keys();
    let times = [state.take(created_on)?, state.take(modified_on)?];
    let steps = Steps {
        format,
        reserved: format.reserved_snapshot_keys(),
        current: A::__VERSION,
    };
    let state = steps.read(state, A::__upcast, |json| {
        let mut reader = StateReader { json, format };
        let state = A::__take_state(&mut reader)?;
        Some(state.map_err(MapperProblem::from).and_then(|state| {
            snapshot_fields::compare::<A>(&reader.json, &state, steps.reserved)?;
            Ok(state)
        }))
    })?;
    let Some(state) = state else {
        return Ok(None);
    };
    let (id, version) = (stored.originator_id.clone(), stored.originator_version);
    let root = Root::__restored(id, version, times, state?);
    Ok(Some(A::__from_root(root)))
}

/// Writes the fields of a state beside the two times.
struct Attributes {
    json: JsonWriter,
    format: Format,
}

impl FieldWriter for Attributes {
    fn put<T: StoredField>(&mut self, key: &'static str, value: &T) -> Result<(), FieldError> {
        self.json.put(key, value)
    }

    fn put_all<T: StoredField>(&mut self, state: &T) -> Result<(), FieldError> {
        let written = JsonWriter::written(STATE, state)?;
        match JsonReader::new(&written) {
            Ok(fields) if fields.has(WHOLE) => Err(FieldError::new(WHOLE, "the name is reserved")),
            Ok(fields) => self
                .json
                .put_each(&fields, self.format.reserved_snapshot_keys()),
            Err(_) => self.json.put_written(WHOLE, &written),
        }
    }
}

/// Reads the fields of a state, without the keys beside them.
struct StateReader<'a> {
    json: JsonReader<'a>,
    format: Format,
}

impl FieldReader for StateReader<'_> {
    fn take<T: StoredField>(&mut self, key: &'static str) -> Result<T, FieldError> {
        self.json.take(key)
    }

    fn take_all<T: StoredField>(&mut self) -> Result<T, FieldError> {
        if self.json.has(WHOLE) {
            return self.json.take(WHOLE);
        }
        let reserved = self.format.reserved_snapshot_keys();
        self.json.take_all_but(reserved, STATE)
    }
}
