//! Objects that may be transcodings: they are so only if they have exactly the two keys `_type_` and `_data_`.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;

use serde::Deserialize;
use serde::de::value::{CowStrDeserializer, StringDeserializer};
use serde::de::{
    self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::error::Redacted;
use super::read::{Place, Reader, Seed};
use super::{DATA, KNOWN, TYPE, UUID_HEX};

/// Says by the name of which transcoding a value is stored, if it is one: most often a type that this program does not
/// have there. A name is no value, but what does not look like a name is not shown.
pub(super) fn transcoding_of(stored: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[serde(rename = "_type_")]
        name: String,
        #[serde(rename = "_data_")]
        _data: de::IgnoredAny,
    }
    let Form { name, .. } = serde_json::from_str(stored).ok()?;
    let is_name = name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let shown = if is_name {
        format!(" `{name}`")
    } else {
        String::new()
    };
    Some(format!("; it is stored as the transcoding{shown}"))
}

/// A text that is borrowed where it can be.
pub(super) struct Text<'de>(pub(super) Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyText;
        impl<'de> Visitor<'de> for AnyText {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(AnyText)
    }
}

/// What was read of an object before it was clear that it is no transcoding.
#[derive(Default)]
pub(super) struct Start<'de> {
    entries: VecDeque<(Cow<'de, str>, &'de RawValue)>,
    next_key: Option<Cow<'de, str>>,
}

/// An object, once it is clear what it is.
pub(super) enum Opened<'de, A> {
    /// The text of a transcoding that is known, or that was asked for.
    Transcoding(Cow<'de, str>),
    /// Any other object.
    Object(Start<'de>, A),
}

impl<'de, A: MapAccess<'de>> Opened<'de, A> {
    /// Opens an object of which nobody said what it is.
    pub(super) fn read(map: A) -> Result<Self, A::Error> {
        Self::read_as(map, |name| KNOWN.contains(&name))
    }

    /// Opens an object that may be one of the transcodings that `is_wanted`.
    fn read_as(mut map: A, is_wanted: impl FnOnce(&str) -> bool) -> Result<Self, A::Error> {
        let mut start = Start::default();
        let Some(Text(first)) = map.next_key()? else {
            return Ok(Self::Object(start, map));
        };
        let other = match &*first {
            TYPE => DATA,
            DATA => TYPE,
            _ => {
                start.next_key = Some(first);
                return Ok(Self::Object(start, map));
            }
        };
        start.entries.push_back((first, map.next_value()?));
        match map.next_key()? {
            Some(Text(second)) if second == other => {
                start.entries.push_back((second, map.next_value()?))
            }
            second => {
                start.next_key = second.map(|Text(key)| key);
                return Ok(Self::Object(start, map));
            }
        }
        start.next_key = map.next_key()?.map(|Text(key)| key);
        Ok(match start.transcoding() {
            Some((name, data)) if is_wanted(&name) => Self::Transcoding(data),
            _ => Self::Object(start, map),
        })
    }
}

impl<'de> Start<'de> {
    /// Name and data, if these two texts are all.
    fn transcoding(&self) -> Option<(Cow<'de, str>, Cow<'de, str>)> {
        let text = |wanted: &str| {
            let (_, raw) = self.entries.iter().find(|(key, _)| key == wanted)?;
            serde_json::from_str(raw.get()).ok().map(|Text(text)| text)
        };
        if self.next_key.is_some() {
            return None;
        }
        Some((text(TYPE)?, text(DATA)?))
    }
}

/// An object of which the start was read already.
pub(super) struct Object<'de, A> {
    start: Start<'de>,
    /// The value that belongs to the key that was given last, if it was read already.
    value: Option<&'de RawValue>,
    rest: A,
    place: Place,
}

impl<'de, A> Object<'de, A> {
    pub(super) fn new(start: Start<'de>, rest: A, place: Place) -> Self {
        Self {
            start,
            value: None,
            rest,
            place,
        }
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Object<'de, A> {
    type Error = Redacted;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Redacted> {
        let key = match self.start.entries.pop_front() {
            Some((key, value)) => {
                self.value = Some(value);
                key
            }
            None => match self.start.next_key.take() {
                Some(key) => key,
                None => {
                    let seed = Seed {
                        seed,
                        place: self.place.key(),
                    };
                    return self
                        .rest
                        .next_key_seed(seed)
                        .map_err(|error| Redacted::of_reading(&error));
                }
            },
        };
        let key: CowStrDeserializer<'_, Redacted> = key.into_deserializer();
        seed.deserialize(Reader::at(key, self.place.key()))
            .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Redacted> {
        match self.value.take() {
            Some(raw) => {
                let mut inner = serde_json::Deserializer::from_str(raw.get());
                seed.deserialize(Reader::at(&mut inner, self.place))
            }
            None => {
                let seed = Seed {
                    seed,
                    place: self.place,
                };
                self.rest
                    .next_value_seed(seed)
                    .map_err(|error| Redacted::of_reading(&error))
            }
        }
    }
}

/// Shows a visitor the text of the transcoding called `name`, as a newtype struct; text that stands alone, as text.
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

/// Shows a visitor bytes: those of a UUID, transcoded or as text, or those of an array.
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
