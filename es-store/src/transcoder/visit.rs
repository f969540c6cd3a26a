//! What a deserializer shows a visitor: the same, with readers around all that is inside.

use std::fmt;

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::error::Redacted;
use super::object::{Object, Opened};
use super::read::{Place, Reader, Seed};

/// Shows a visitor what is read.
pub(super) struct Visit<V> {
    visitor: V,
    place: Place,
    /// Nobody said what is expected, so a known transcoding is shown as its text.
    of_anything: bool,
}

impl<V> Visit<V> {
    pub(super) fn new(visitor: V, place: Place) -> Self {
        Self {
            visitor,
            place,
            of_anything: false,
        }
    }

    pub(super) fn of_anything(visitor: V, place: Place) -> Self {
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

/// Access to what is inside a value, through readers.
pub(super) struct Inside<A> {
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
