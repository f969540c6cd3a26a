//! Maps events to stored events, and back.

mod compare;
mod sealed_text;
mod snapshot;
mod snapshot_fields;
mod upcast;

use std::borrow::Cow;
use std::sync::Arc;

use es_core::{AggregateId, EventPayload, EventSet, FieldError, FieldReader, Timestamp};

use self::upcast::{OldState, Steps};
use crate::cipher::Cipher;
use crate::compressor::Compressor;
use crate::env::Env;
use crate::error::{MapperError, MapperProblem, StoreError};
use crate::format::Format;
use crate::stored_event::StoredEvent;
use crate::transcoder::{JsonReader, JsonWriter};

/// Encodes events to stored events and decodes them, in the format of the Python library.
///
/// The state of an event is a JSON object. Its keys are `timestamp`; `originator_topic`, for the
/// event that creates an aggregate; the fields in their order; and `class_version`, if the event's
/// version is above 1. The state of a snapshot has `timestamp`, `topic` (of the aggregate), and
/// `state`, an object of the times of the aggregate's first and last event, its fields and its
/// version. Reading accepts any order. A state is compressed and then encrypted if the environment
/// asks for it.
///
/// A state of an older version is upcast before it is decoded, one version after the other.
///
/// With encryption no field value is stored in the clear. These parts are: ids (also those made
/// from names), topics, versions, positions, and the length of each state. There is no associated
/// data, so anyone who can write to the database can replace one state by another. One key serves
/// for fewer than 2^32 events. The `Debug` output of a mapper shows no key.
#[derive(Debug, Clone)]
pub struct Mapper {
    format: Format,
    compressor: Option<Compressor>,
    cipher: Option<Arc<Cipher>>,
}

/// A decoded event.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Decoded<E> {
    /// The time at which the event was made.
    pub timestamp: Timestamp,
    /// The event itself.
    pub payload: E,
}

impl Mapper {
    /// Creates a mapper from `env`. It writes plain JSON unless `COMPRESSOR_TOPIC` is `zlib` (or
    /// `zstd`, with that cargo feature), or `CIPHER_TOPIC` is `aes` and `CIPHER_KEY` is a key in
    /// base64, as [`create_key`](crate::create_key) makes it.
    ///
    /// States that were encrypted with another key are decrypted with one of `CIPHER_KEYS_OLD`, a
    /// list separated by commas. To rotate keys, move the key to that list and set a new one. With
    /// compression a state may have up to 64 MiB.
    ///
    /// # Errors
    /// Fails when a compressor or cipher is unknown, a key is invalid, or only one of cipher and
    /// key is set.
    pub fn new(env: &Env) -> Result<Self, StoreError> {
        Ok(Self {
            format: Format::CURRENT,
            compressor: Compressor::from_env(env)?,
            cipher: Cipher::from_env(env)?.map(Arc::new),
        })
    }

    /// Encodes an event. `originator_topic` is the topic of the aggregate, and given only for the
    /// event that creates it.
    ///
    /// # Errors
    /// Fails when a field cannot be written, or the state is too large or cannot be encrypted.
    pub fn encode<E: EventSet>(
        &self,
        id: &AggregateId,
        version: u64,
        timestamp: Timestamp,
        originator_topic: Option<&str>,
        event: &E,
    ) -> Result<StoredEvent, MapperError> {
        let topic = event.topic();
        let mut state = JsonWriter::new();
        let written = state
            .put_reserved(self.format.timestamp_key(), &timestamp)
            .and_then(|()| match originator_topic {
                Some(topic) => state.put_reserved(self.format.originator_topic_key(), topic),
                None => Ok(()),
            })
            .and_then(|()| event.encode(&mut state))
            .and_then(|()| upcast::put_version(self.format, &mut state, E::version(topic)));
        let sealed = written
            .map_err(MapperProblem::from)
            .and_then(|()| self.seal(state.finish()));
        match sealed {
            Ok(state) => Ok(StoredEvent::new(id, version, topic, state)),
            Err(problem) => Err(MapperError {
                topic: topic.to_owned(),
                id: id.clone(),
                version,
                problem,
            }),
        }
    }

    /// Decodes an event of an aggregate.
    ///
    /// # Errors
    /// Fails when the topic belongs to no event of `E`; the state cannot be decrypted or
    /// decompressed, is damaged, or is newer than this program; an upcaster fails or panics; or a
    /// field is missing or of another type.
    pub fn decode<E: EventSet>(&self, stored: &StoredEvent) -> Result<Decoded<E>, MapperError> {
        let topic = &*stored.topic;
        let decoded = self.decode_with(
            stored,
            E::version(topic),
            |from, state| E::upcast(topic, from, state),
            |fields| E::decode(topic, fields),
        );
        decoded.map_err(|mut error| {
            // An unknown event has no known version.
            if matches!(error.problem, MapperProblem::NewerVersion { .. })
                && !E::TOPICS.contains(&topic)
            {
                error.problem = MapperProblem::UnknownTopic;
            }
            error
        })
    }

    /// Decodes an event of one kind.
    ///
    /// # Errors
    /// Fails as [`Mapper::decode`] does.
    pub fn decode_payload<P: EventPayload>(
        &self,
        stored: &StoredEvent,
    ) -> Result<Decoded<P>, MapperError> {
        self.decode_with(stored, P::VERSION, P::upcast, |fields| {
            (stored.topic == P::TOPIC).then(|| P::decode(fields))
        })
    }

    /// Returns the time at which a stored event was made, or `None` if it cannot be read. The event
    /// need not be known to this program.
    pub fn time_of(&self, stored: &StoredEvent) -> Option<Timestamp> {
        let state = self.open(&stored.state).ok()?;
        let mut fields = JsonReader::new(&state).ok()?;
        fields.take(self.format.timestamp_key()).ok()
    }

    /// Returns true if two stored events are the same event: their states are equal once decrypted.
    ///
    /// The nonce is new for each encryption, so the bytes of one event differ each time. A state
    /// that cannot be decrypted equals no other.
    pub fn is_same(&self, one: &StoredEvent, other: &StoredEvent) -> bool {
        if one == other {
            return true;
        }
        let is_same_place = one.originator_id == other.originator_id
            && one.originator_version == other.originator_version
            && one.topic == other.topic;
        is_same_place
            && self.cipher.is_some()
            && matches!((self.open(&one.state), self.open(&other.state)), (Ok(one), Ok(other)) if one == other)
    }

    /// Returns the state of an event as JSON, as it was written: decrypted and decompressed, and
    /// not upcast.
    ///
    /// # Errors
    /// Fails when the state cannot be decrypted or decompressed, or is no JSON object.
    pub fn json(&self, stored: &StoredEvent) -> Result<String, MapperError> {
        let text = |state: Cow<'_, [u8]>| {
            JsonReader::new(&state).map_err(MapperProblem::Damaged)?;
            Ok(String::from_utf8_lossy(&state).into_owned())
        };
        let opened = self.open(&stored.state).and_then(text);
        opened.map_err(|problem| refused(stored, problem))
    }

    /// Returns the time at which an event was made, whatever its kind.
    ///
    /// # Errors
    /// Fails when the state cannot be decrypted or decompressed, or has no time.
    pub fn timestamp(&self, stored: &StoredEvent) -> Result<Timestamp, MapperError> {
        let read = |state: Cow<'_, [u8]>| {
            let mut fields = JsonReader::new(&state).map_err(MapperProblem::Damaged)?;
            Ok(fields.take(self.format.timestamp_key())?)
        };
        let opened = self.open(&stored.state).and_then(read);
        opened.map_err(|problem| refused(stored, problem))
    }

    /// Compresses and encrypts JSON for the store.
    fn seal(&self, state: Vec<u8>) -> Result<Vec<u8>, MapperProblem> {
        self.seal_with(state, Cipher::encrypt)
    }

    fn seal_with(
        &self,
        state: Vec<u8>,
        encrypt: impl FnOnce(&Cipher, &[u8]) -> Result<Vec<u8>, MapperProblem>,
    ) -> Result<Vec<u8>, MapperProblem> {
        let state = match self.compressor {
            Some(compressor) => compressor.compress(&state)?,
            None => state,
        };
        match &self.cipher {
            Some(cipher) => encrypt(cipher, &state),
            None => Ok(state),
        }
    }

    /// Decrypts and decompresses stored bytes to JSON.
    fn open<'a>(&self, stored: &'a [u8]) -> Result<Cow<'a, [u8]>, MapperProblem> {
        let state = match &self.cipher {
            Some(cipher) => Cow::Owned(cipher.decrypt(stored)?),
            None => Cow::Borrowed(stored),
        };
        match self.compressor {
            Some(compressor) => compressor.decompress(&state).map(Cow::Owned),
            None => Ok(state),
        }
    }

    fn decode_with<E>(
        &self,
        stored: &StoredEvent,
        version: u64,
        upcast: impl Fn(u64, &mut OldState) -> Result<(), FieldError>,
        payload: impl FnOnce(&mut JsonReader<'_>) -> Option<Result<E, FieldError>>,
    ) -> Result<Decoded<E>, MapperError> {
        self.open(&stored.state)
            .and_then(|state| self.decode_state(&state, version, upcast, payload))
            .map_err(|problem| refused(stored, problem))
    }

    fn decode_state<E>(
        &self,
        state: &[u8],
        version: u64,
        upcast: impl Fn(u64, &mut OldState) -> Result<(), FieldError>,
        payload: impl FnOnce(&mut JsonReader<'_>) -> Option<Result<E, FieldError>>,
    ) -> Result<Decoded<E>, MapperProblem> {
        let mut fields = JsonReader::new(state).map_err(MapperProblem::Damaged)?;
        let timestamp = fields.take(self.format.timestamp_key())?;
        let steps = Steps {
            format: self.format,
            reserved: self.format.reserved_event_keys(),
            current: version,
        };
        let payload = steps.read(fields, upcast, |mut fields| payload(&mut fields))?;
        let payload = payload.ok_or(MapperProblem::UnknownTopic)??;
        Ok(Decoded { timestamp, payload })
    }
}

/// Returns the error of a stored event that cannot be read or written.
fn refused(stored: &StoredEvent, problem: impl Into<MapperProblem>) -> MapperError {
    MapperError {
        topic: stored.topic.clone().into_owned(),
        id: stored.originator_id.clone(),
        version: stored.originator_version,
        problem: problem.into(),
    }
}

#[cfg(test)]
mod tests;
