//! Reading: a deserializer around serde_json's.

use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

use super::TRANSCODED;
use super::error::Redacted;
use super::object::{Bytes, Transcoded};
use super::visit::Visit;

/// Where in a value a reader is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    depth: u8,
    /// A key is text, so a UUID is read from its text there.
    is_key: bool,
}

impl Place {
    const TOP: Self = Self {
        depth: 0,
        is_key: false,
    };
    const MAX_DEPTH: u8 = 127;

    pub(super) fn key(self) -> Self {
        Self {
            is_key: true,
            ..self
        }
    }

    /// One level further in. serde_json counts too, but begins anew with a value that was read ahead.
    pub(super) fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth == Self::MAX_DEPTH {
            return Err(E::custom("nested too deep"));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }
}

/// Passes everything on to the deserializer inside, but for bytes, transcodings, and what is read without saying
/// what it is. Whoever reads from it sees only redacted errors.
pub(super) struct Reader<D> {
    inner: D,
    place: Place,
}

impl<D> Reader<D> {
    pub(super) fn new(inner: D) -> Self {
        Self::at(inner, Place::TOP)
    }

    pub(super) fn at(inner: D, place: Place) -> Self {
        Self { inner, place }
    }
}

macro_rules! pass_on {
    ($($method:ident($($arg:ident: $type:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, Redacted> {
            let visit = Visit::new(visitor, self.place);
            self.inner.$method($($arg,)* visit).map_err(|error| Redacted::of_reading(&error))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Reader<D> {
    type Error = Redacted;

    pass_on! {
        deserialize_bool();
        deserialize_i8(); deserialize_i16(); deserialize_i32(); deserialize_i64(); deserialize_i128();
        deserialize_u8(); deserialize_u16(); deserialize_u32(); deserialize_u64(); deserialize_u128();
        deserialize_f32(); deserialize_f64();
        deserialize_char(); deserialize_str(); deserialize_string();
        deserialize_option(); deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_seq(); deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier(); deserialize_ignored_any();
    }

    fn is_human_readable(&self) -> bool {
        self.place.is_key
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Redacted> {
        let visit = Visit::of_anything(visitor, self.place);
        self.inner
            .deserialize_any(visit)
            .map_err(|error| Redacted::of_reading(&error))
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Redacted> {
        self.inner
            .deserialize_any(Bytes(visitor))
            .map_err(|error| Redacted::of_reading(&error))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Redacted> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Redacted> {
        let read = match name.strip_prefix(TRANSCODED) {
            Some(name) => self.inner.deserialize_any(Transcoded { name, visitor }),
            None => self
                .inner
                .deserialize_newtype_struct(name, Visit::new(visitor, self.place)),
        };
        read.map_err(|error| Redacted::of_reading(&error))
    }
}

/// Reads the value of `seed` with a [`Reader`].
pub(super) struct Seed<S> {
    pub(super) seed: S,
    pub(super) place: Place,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.seed
            .deserialize(Reader::at(deserializer, self.place))
            .map_err(Redacted::into_de)
    }
}

/// In place of a field that is not there: an absent `Option`, or an error.
pub(super) struct Missing;

impl<'de> Deserializer<'de> for Missing {
    type Error = Redacted;

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Redacted> {
        Err(Redacted {
            message: "it is missing; a parameter that older events do not have must be an `Option`"
                .to_owned(),
        })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Redacted> {
        visitor.visit_none()
    }
}
