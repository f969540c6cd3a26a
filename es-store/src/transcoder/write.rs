//! Writing: a serializer around serde_json's.

use std::fmt::Arguments;

use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use uuid::Uuid;

use super::error::{refuse_to_write, within};
use super::float::Python;
use super::spot::Spot;
use super::{DATA, TRANSCODED, TYPE, UUID_HEX};

/// Appends `value` to `bytes`. Refuses a `Some` whose content is `null`.
pub(super) fn write<T: Serialize + ?Sized>(
    bytes: &mut Vec<u8>,
    value: &T,
) -> Result<(), serde_json::Error> {
    write_at(Spot::Plain, bytes, value)
}

/// Appends `value` to `bytes`, also a `Some` whose content is `null`.
pub(super) fn write_any<T: Serialize + ?Sized>(
    bytes: &mut Vec<u8>,
    value: &T,
) -> Result<(), serde_json::Error> {
    write_at(Spot::Unchecked, bytes, value)
}

fn write_at<T: Serialize + ?Sized>(
    spot: Spot,
    bytes: &mut Vec<u8>,
    value: &T,
) -> Result<(), serde_json::Error> {
    let inner = &mut serde_json::Serializer::with_formatter(bytes, Python);
    value.serialize(Writer { inner, spot })
}

/// Forwards everything to the inner serializer, except bytes, transcodings, floats that JSON does
/// not have, and `null` inside `Some`.
struct Writer<S> {
    inner: S,
    spot: Spot,
}

/// Serialises the inner value with a [`Writer`].
struct Wrap<'a, T: ?Sized>(&'a T, Spot);

impl<T: Serialize + ?Sized> Serialize for Wrap<'_, T> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        let spot = self.1;
        self.0.serialize(Writer { inner, spot })
    }
}

/// Writes the elements or fields of one value with [`Writer`]s. Errors get their place.
struct Inside<S> {
    inner: S,
    spot: Spot,
    /// The variant of an enum that has these elements or fields.
    variant: Option<&'static str>,
    /// The number of elements so far.
    count: usize,
}

impl<S> Inside<S> {
    fn new(inner: S, spot: Spot, variant: Option<&'static str>) -> Self {
        Self {
            inner,
            spot,
            variant,
            count: 0,
        }
    }

    /// Adds `place` to an error.
    #[cold]
    fn at<E: ser::Error>(&self, place: Arguments<'_>, error: E) -> E {
        let error = within(error, place);
        match self.variant {
            Some(variant) => within(error, format_args!(".{variant}")),
            None => error,
        }
    }
}

fn transcoded<S: Serializer, T: Serialize + ?Sized>(
    to: S,
    name: &str,
    data: &T,
) -> Result<S::Ok, S::Error> {
    let mut map = to.serialize_map(Some(2))?;
    map.serialize_entry(TYPE, name)?;
    map.serialize_entry(DATA, data)?;
    map.end()
}

/// Refuses what is written as `null` inside `Some`.
fn check_null<E: ser::Error>(spot: Spot) -> Result<(), E> {
    match spot {
        Spot::InSome => Err(null_in_some()),
        Spot::Plain | Spot::Unchecked | Spot::RawInSome => Ok(()),
    }
}

fn null_in_some<E: ser::Error>() -> E {
    refuse_to_write(
        "a `Some` whose content is stored as `null` would come back as `None`: use an enum that \
         names each case",
    )
}

macro_rules! pass_on {
    ($($method:ident: $type:ty),* $(,)?) => {$(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        }
    )*};
}

impl<S: Serializer> Serializer for Writer<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Inside<S::SerializeSeq>;
    type SerializeTuple = Inside<S::SerializeTuple>;
    type SerializeTupleStruct = Inside<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Inside<S::SerializeTupleVariant>;
    type SerializeMap = Inside<S::SerializeMap>;
    type SerializeStruct = Inside<S::SerializeStruct>;
    type SerializeStructVariant = Inside<S::SerializeStructVariant>;

    pass_on! {
        serialize_bool: bool,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_char: char,
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_str(self, value: &str) -> Result<S::Ok, S::Error> {
        if self.spot == Spot::RawInSome && value.trim() == "null" {
            return Err(null_in_some());
        }
        self.inner.serialize_str(value)
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        check_finite(value.is_finite())?;
        self.inner.serialize_f32(value)
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        check_finite(value.is_finite())?;
        self.inner.serialize_f64(value)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<S::Ok, S::Error> {
        match Uuid::from_slice(bytes) {
            Ok(uuid) => {
                let mut buffer = Uuid::encode_buffer();
                let text = &*uuid.simple().encode_lower(&mut buffer);
                transcoded(self.inner, UUID_HEX, text)
            }
            Err(_) => self.inner.collect_seq(bytes),
        }
    }

    /// A newtype struct is written as its content, so it is null where its content is.
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let Self { inner, spot } = self;
        match name.strip_prefix(TRANSCODED) {
            Some(name) => transcoded(inner, name, &Wrap(value, spot.inside())),
            None => inner.serialize_newtype_struct(name, &Wrap(value, spot)),
        }
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        check_null(self.spot)?;
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let value = Wrap(value, self.spot.in_some());
        self.inner.serialize_some(&value)
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        check_null(self.spot)?;
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        check_null(self.spot)?;
        self.inner.serialize_unit_struct(name)
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = Wrap(value, self.spot.inside());
        self.inner
            .serialize_newtype_variant(name, index, variant, &value)
            .map_err(|error| within(error, format_args!(".{variant}")))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let inner = self.inner.serialize_seq(len)?;
        Ok(Inside::new(inner, self.spot.inside(), None))
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let inner = self.inner.serialize_tuple(len)?;
        Ok(Inside::new(inner, self.spot.inside(), None))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let inner = self.inner.serialize_tuple_struct(name, len)?;
        Ok(Inside::new(inner, self.spot.inside(), None))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let Self { inner, spot } = self;
        let inner = inner.serialize_tuple_variant(name, index, variant, len)?;
        Ok(Inside::new(inner, spot.inside(), Some(variant)))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let inner = self.inner.serialize_map(len)?;
        Ok(Inside::new(inner, self.spot.inside(), None))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        let inner = self.inner.serialize_struct(name, len)?;
        Ok(Inside::new(inner, self.spot.in_struct(name), None))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let Self { inner, spot } = self;
        let inner = inner.serialize_struct_variant(name, index, variant, len)?;
        Ok(Inside::new(inner, spot.inside(), Some(variant)))
    }
}

fn check_finite<E: ser::Error>(is_finite: bool) -> Result<(), E> {
    if is_finite {
        Ok(())
    } else {
        Err(refuse_to_write(
            "a float that is not finite cannot be stored",
        ))
    }
}

macro_rules! wrap_elements {
    ($($kind:ident: $method:ident),* $(,)?) => {$(
        impl<S: $kind> $kind for Inside<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                let index = self.count;
                self.count += 1;
                let written = self.inner.$method(&Wrap(value, self.spot));
                written.map_err(|error| self.at(format_args!("[{index}]"), error))
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

wrap_elements! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

macro_rules! wrap_fields {
    ($($kind:ident),* $(,)?) => {$(
        impl<S: $kind> $kind for Inside<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), S::Error> {
                let written = self.inner.serialize_field(key, &Wrap(value, self.spot));
                written.map_err(|error| match self.spot {
                    // A raw value is a struct for serde_json alone.
                    Spot::RawInSome => error,
                    _ => self.at(format_args!(".{key}"), error),
                })
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

wrap_fields!(SerializeStruct, SerializeStructVariant);

/// Keys are not wrapped: they are text, so a UUID in a key is written as text. A key is a stored
/// value, which errors do not show.
impl<S: SerializeMap> SerializeMap for Inside<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.inner.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        let written = self.inner.serialize_value(&Wrap(value, self.spot));
        written.map_err(|error| self.at(format_args!("[key]"), error))
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}
