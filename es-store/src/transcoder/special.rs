//! Visitors of values without a JSON form: transcodings and bytes.

use std::fmt;

use serde::de::value::StringDeserializer;
use serde::de::{self, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use uuid::Uuid;

use super::UUID_HEX;
use super::error::Redacted;
use super::object::Opened;

/// Passes the text of the transcoding called `name` to a visitor as a newtype struct, and plain
/// text as text.
pub(super) struct Transcoded<V> {
    pub(super) name: &'static str,
    pub(super) visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Transcoded<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<V::Value, E> {
        self.visitor.visit_str(text).map_err(Redacted::into_de)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        match Opened::read_as(map, |name| name == self.name)? {
            Opened::Transcoding(data) => {
                let data: StringDeserializer<Redacted> = data.into_owned().into_deserializer();
                self.visitor
                    .visit_newtype_struct(data)
                    .map_err(Redacted::into_de)
            }
            Opened::Object(..) => Err(de::Error::invalid_type(de::Unexpected::Map, &self)),
        }
    }
}

/// Passes bytes to a visitor: those of a UUID, transcoded or as text, or those of an array.
pub(super) struct Bytes<V>(pub(super) V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Bytes<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a UUID, or an array of bytes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<V::Value, E> {
        match Uuid::try_parse(text) {
            Ok(uuid) => self
                .0
                .visit_bytes(uuid.as_bytes())
                .map_err(Redacted::into_de),
            Err(_) => Err(E::invalid_type(
                de::Unexpected::Other("another text"),
                &self,
            )),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        match Opened::read_as(map, |name| name == UUID_HEX)? {
            Opened::Transcoding(data) => self.visit_str(&data),
            Opened::Object(..) => Err(de::Error::invalid_type(de::Unexpected::Map, &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<V::Value, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        self.0.visit_byte_buf(bytes).map_err(Redacted::into_de)
    }
}
