//! Reading: a deserializer around serde_json's, with the visitor that it passes on.
//!
//! A deserializer creates visitors, and a visitor deserializes the content of a value. Each needs
//! the other, so they share a module. The parts that need neither have modules of their own.

use std::fmt;

use serde::de::value::CowStrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde_json::value::RawValue;

use super::TRANSCODED;
use super::error::Redacted;
use super::object::{Opened, Start};
use super::place::Place;
use super::special::{Bytes, Transcoded};

/// Forwards everything to the inner deserializer, except bytes, transcodings, and values that are
/// read through `deserialize_any`. Its errors are redacted.
pub(super) struct Reader<D> {
    inner: D,
    place: Place,
}

impl<D> Reader<D> {
    pub(super) fn new(inner: D) -> Self {
        Self::at(inner, Place::TOP)
    }

    fn at(inner: D, place: Place) -> Self {
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

/// Reads the value of `seed` through a [`Reader`].
struct Seed<S> {
    seed: S,
    place: Place,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.seed
            .deserialize(Reader::at(deserializer, self.place))
            .map_err(Redacted::into_de)
    }
}

/// Forwards to a visitor.
struct Visit<V> {
    visitor: V,
    place: Place,
    /// True in `deserialize_any`. Then a known transcoding is passed on as its text.
    of_anything: bool,
}

impl<V> Visit<V> {
    fn new(visitor: V, place: Place) -> Self {
        Self {
            visitor,
            place,
            of_anything: false,
        }
    }

    fn of_anything(visitor: V, place: Place) -> Self {
        Self {
            visitor,
            place,
            of_anything: true,
        }
    }
}

macro_rules! show {
    ($($method:ident($($value:ident: $type:ty)?);)*) => {$(
        fn $method<E: de::Error>(self, $($value: $type)?) -> Result<V::Value, E> {
            self.visitor.$method($($value)?).map_err(Redacted::into_de)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Visit<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    show! {
        visit_bool(value: bool);
        visit_i8(value: i8); visit_i16(value: i16); visit_i32(value: i32); visit_i64(value: i64);
        visit_u8(value: u8); visit_u16(value: u16); visit_u32(value: u32); visit_u64(value: u64);
        visit_i128(value: i128); visit_u128(value: u128);
        visit_f32(value: f32); visit_f64(value: f64);
        visit_char(value: char); visit_str(value: &str); visit_borrowed_str(value: &'de str);
        visit_string(value: String);
        visit_bytes(value: &[u8]); visit_borrowed_bytes(value: &'de [u8]); visit_byte_buf(value: Vec<u8>);
        visit_none(); visit_unit();
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor
            .visit_some(Reader::at(inner, self.place))
            .map_err(Redacted::into_de)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor
            .visit_newtype_struct(Reader::at(inner, self.place))
            .map_err(Redacted::into_de)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let place = self.place.deeper()?;
        self.visitor
            .visit_seq(Inside { inner, place })
            .map_err(Redacted::into_de)
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let place = self.place.deeper()?;
        if !self.of_anything {
            return self
                .visitor
                .visit_map(Inside { inner, place })
                .map_err(Redacted::into_de);
        }
        match Opened::read(inner)? {
            Opened::Transcoding(data) => self.visitor.visit_str(&data),
            Opened::Object(start, rest) => self.visitor.visit_map(Object::new(start, rest, place)),
        }
        .map_err(Redacted::into_de)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let place = self.place.deeper()?;
        self.visitor
            .visit_enum(Inside { inner, place })
            .map_err(Redacted::into_de)
    }
}

/// Access to the content of a value, through readers.
struct Inside<A> {
    inner: A,
    place: Place,
}

fn redact(error: impl de::Error) -> Redacted {
    Redacted::of_reading(&error)
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Inside<A> {
    type Error = Redacted;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Redacted> {
        self.inner
            .next_element_seed(Seed {
                seed,
                place: self.place,
            })
            .map_err(redact)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Inside<A> {
    type Error = Redacted;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Redacted> {
        self.inner
            .next_key_seed(Seed {
                seed,
                place: self.place.key(),
            })
            .map_err(redact)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Redacted> {
        self.inner
            .next_value_seed(Seed {
                seed,
                place: self.place,
            })
            .map_err(redact)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Inside<A> {
    type Error = Redacted;
    type Variant = Inside<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), Redacted> {
        let place = self.place;
        let (value, inner) = self
            .inner
            .variant_seed(Seed {
                seed,
                place: place.key(),
            })
            .map_err(redact)?;
        Ok((value, Inside { inner, place }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Inside<A> {
    type Error = Redacted;

    fn unit_variant(self) -> Result<(), Redacted> {
        self.inner.unit_variant().map_err(redact)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Redacted> {
        self.inner
            .newtype_variant_seed(Seed {
                seed,
                place: self.place,
            })
            .map_err(redact)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Redacted> {
        self.inner
            .tuple_variant(len, Visit::new(visitor, self.place))
            .map_err(redact)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Redacted> {
        self.inner
            .struct_variant(fields, Visit::new(visitor, self.place))
            .map_err(redact)
    }
}

/// An object whose first entries were read already.
struct Object<'de, A> {
    start: Start<'de>,
    /// The value of the last key, if it was read already.
    value: Option<&'de RawValue>,
    rest: A,
    place: Place,
}

impl<'de, A> Object<'de, A> {
    fn new(start: Start<'de>, rest: A, place: Place) -> Self {
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
