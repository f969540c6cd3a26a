//! The JSON of the Python library: writes and reads the fields of an event.
//!
//! A value without a JSON form is written as `{"_type_":NAME,"_data_":TEXT}`, a *transcoding*. A
//! type asks for one by serialising as a newtype struct called `$transcoded::NAME` over its text,
//! as [`es_core::Transcoding`] does. A UUID knows nothing of this. It is recognised by its 16
//! bytes, which it writes because both directions declare themselves not human-readable. A few
//! other types have a compact form for that case too, such as IP addresses. It is read as it was
//! written where the reader names the type. It is not inside types that serde reads through
//! `deserialize_any`. So each field is read back before it is stored, and refused if it comes back
//! as another value.

mod check;
mod error;
mod float;
mod missing;
mod object;
mod place;
mod read;
mod special;
mod spot;
#[cfg(test)]
mod tests;
mod write;

use std::borrow::Cow;
use std::fmt;

use es_core::{FieldError, FieldReader, FieldWriter, StoredField};
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use self::error::Redacted;
use self::missing::Missing;
use self::object::Text;
use self::read::Reader;
use crate::format::Format;

/// The prefix of the names of transcoded newtype structs.
const TRANSCODED: &str = "$transcoded::";
/// The name of the transcoding of UUIDs.
const UUID_HEX: &str = "uuid_hex";
/// The transcodings that are recognised even if the reader does not name them.
const KNOWN: [&str; 3] = [UUID_HEX, "datetime_iso", "decimal_str"];
/// The keys of a transcoding.
const TYPE: &str = "_type_";
const DATA: &str = "_data_";

/// The name in errors of fields that are written or read as one value.
const PAYLOAD: &str = "payload";

/// Returns the keys that no field of an event may have.
fn reserved() -> &'static [&'static str] {
    Format::CURRENT.reserved_event_keys()
}

/// Writes an object, key by key.
pub(crate) struct JsonWriter {
    bytes: Vec<u8>,
}

impl JsonWriter {
    pub(crate) fn new() -> Self {
        let mut bytes = Vec::with_capacity(256);
        bytes.push(b'{');
        Self { bytes }
    }

    /// Writes one of the reserved keys, which belong to every event.
    pub(crate) fn put_reserved<T: Serialize + ?Sized>(
        &mut self,
        key: &str,
        value: &T,
    ) -> Result<(), FieldError> {
        self.put_key(key)
            .and_then(|()| write::write(&mut self.bytes, value))
            .map_err(|error| unwritten(key, &error))
    }

    /// Returns the stored form of a value, once it has been read back. `key` is for the error.
    pub(crate) fn written<T: StoredField>(
        key: &'static str,
        value: &T,
    ) -> Result<Vec<u8>, FieldError> {
        let mut bytes = Vec::new();
        write::write(&mut bytes, value).map_err(|error| unwritten(key, &error))?;
        check::check::<T>(&mut bytes, 0).map_err(|problem| FieldError::new(key, problem))?;
        Ok(bytes)
    }

    /// Writes a key with a value that is JSON already.
    pub(crate) fn put_written(&mut self, key: &str, value: &[u8]) -> Result<(), FieldError> {
        self.put_key(key).map_err(|error| unwritten(key, &error))?;
        self.bytes.extend_from_slice(value);
        Ok(())
    }

    /// Writes each of `fields`, and refuses those whose names are `reserved`.
    pub(crate) fn put_each(
        &mut self,
        fields: &JsonReader<'_>,
        reserved: &[&str],
    ) -> Result<(), FieldError> {
        fields.iter().try_for_each(|(key, value)| {
            if reserved.contains(&key) {
                return Err(FieldError::new(key, "the name is reserved"));
            }
            self.put_written(key, value.get().as_bytes())
        })
    }

    fn put_key(&mut self, key: &str) -> Result<(), serde_json::Error> {
        if self.bytes.len() > 1 {
            self.bytes.push(b',');
        }
        serde_json::to_writer(&mut self.bytes, key)?;
        self.bytes.push(b':');
        Ok(())
    }

    /// Returns the whole object.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(b'}');
        self.bytes
    }
}

/// Returns the stored form of one value without reading it back, such as one that an upcaster
/// passes on. It may have read `null` from the state, as `Some`. `key` is for the error.
pub(crate) fn write_value<T: Serialize + ?Sized>(
    key: &str,
    value: &T,
) -> Result<Box<RawValue>, FieldError> {
    let mut bytes = Vec::new();
    let written = write::write_any(&mut bytes, value).and_then(|()| serde_json::from_slice(&bytes));
    written.map_err(|error| unwritten(key, &error))
}

/// Reads one value. `key` is for the error, which does not show the value.
pub(crate) fn read_value<T: DeserializeOwned>(key: &str, stored: &str) -> Result<T, FieldError> {
    let mut json = serde_json::Deserializer::from_str(stored);
    T::deserialize(Reader::new(&mut json)).map_err(|error| {
        let stored_as = object::transcoding_of(stored).unwrap_or_default();
        FieldError::new(key, error.message + &stored_as)
    })
}

/// Returns true if an object has the two keys of a transcoding, and no other.
pub(crate) fn is_transcoding(object: &JsonReader<'_>) -> bool {
    object.fields.len() == 2 && object.has(TYPE) && object.has(DATA)
}

fn unwritten(key: &str, error: &serde_json::Error) -> FieldError {
    let Redacted { message, place } = Redacted::of_writing(error);
    FieldError::new(format!("{key}{place}"), message)
}

impl FieldWriter for JsonWriter {
    fn put<T: StoredField>(&mut self, key: &'static str, value: &T) -> Result<(), FieldError> {
        if reserved().contains(&key) {
            return Err(FieldError::new(key, "the name is reserved"));
        }
        self.put_key(key).map_err(|error| unwritten(key, &error))?;
        let start = self.bytes.len();
        write::write(&mut self.bytes, value).map_err(|error| unwritten(key, &error))?;
        check::check::<T>(&mut self.bytes, start).map_err(|problem| FieldError::new(key, problem))
    }

    fn put_all<T: StoredField>(&mut self, value: &T) -> Result<(), FieldError> {
        let written = Self::written(PAYLOAD, value)?;
        let fields = JsonReader::new(&written).map_err(|_| {
            FieldError::new(PAYLOAD, "it must be stored as an object of named fields")
        })?;
        self.put_each(&fields, reserved())
    }
}

/// Reads an object. A value is parsed when its key is taken.
pub(crate) struct JsonReader<'a> {
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> JsonReader<'a> {
    /// Splits `state` into fields. The error describes the problem without showing the state.
    pub(crate) fn new(state: &'a [u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(state)
            .map_err(|_| "it is no UTF-8 text, as if it were compressed or encrypted".to_owned())?;
        serde_json::from_str(text).map_err(|error| Redacted::of_reading(&error).message)
    }

    /// Returns true if `key` exists.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Returns the JSON of `key`.
    pub(crate) fn written(&self, key: &str) -> Result<&'a RawValue, FieldError> {
        self.find(key)
            .ok_or_else(|| FieldError::new(key, "it is missing"))
    }

    /// Returns all keys with their JSON.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.fields.iter().map(|(key, value)| (&**key, *value))
    }

    /// Reads a value from all fields that are not `reserved`. `key` is for the error.
    pub(crate) fn take_all_but<T: StoredField>(
        &self,
        reserved: &[&str],
        key: &str,
    ) -> Result<T, FieldError> {
        let mut fields = self.iter().filter(|(key, _)| !reserved.contains(key));
        let mut object = JsonWriter::new();
        fields.try_for_each(|(key, value)| object.put_written(key, value.get().as_bytes()))?;
        let object = object.finish();
        read_value(key, &String::from_utf8_lossy(&object))
    }

    /// If a key occurs twice, the last one counts, as in Python.
    fn find(&self, key: &str) -> Option<&'a RawValue> {
        self.fields
            .iter()
            .rev()
            .find(|(other, _)| other == key)
            .map(|(_, raw)| *raw)
    }
}

impl FieldReader for JsonReader<'_> {
    fn take<T: StoredField>(&mut self, key: &'static str) -> Result<T, FieldError> {
        let Some(raw) = self.find(key) else {
            return T::deserialize(Missing).map_err(|error| FieldError::new(key, error.message));
        };
        read_value(key, raw.get())
    }

    fn take_all<T: StoredField>(&mut self) -> Result<T, FieldError> {
        self.take_all_but(reserved(), PAYLOAD)
    }
}

impl<'de> Deserialize<'de> for JsonReader<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = JsonReader<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some((Text(key), value)) = map.next_entry()? {
                    fields.push((key, value));
                }
                Ok(JsonReader { fields })
            }
        }
        deserializer.deserialize_map(Fields)
    }
}
