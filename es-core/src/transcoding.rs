//! The form in which the Python library stores values without a JSON form, for the user's own
//! types.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serializer, de};

/// The prefix of the names of newtype structs over text that a transcoder recognises.
const PREFIX: &str = "$transcoded::";

/// The form `{"_type_":NAME,"_data_":TEXT}`. The Python library stores values of a type in this
/// form if a transcoding called NAME is registered for the type.
///
/// The macro [`transcoding!`](crate::transcoding!) creates one. A type whose `Display` and
/// `FromStr` give the text needs one line:
///
/// ```
/// use std::{fmt, num::ParseIntError, str::FromStr};
///
/// #[derive(Debug, Clone, PartialEq)]
/// pub struct Grams(u64);
///
/// es_core::transcoding!("weight_g", Grams);
///
/// impl fmt::Display for Grams {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         write!(f, "{}", self.0)
///     }
/// }
///
/// impl FromStr for Grams {
///     type Err = ParseIntError;
///     fn from_str(text: &str) -> Result<Self, Self::Err> {
///         text.parse().map(Self)
///     }
/// }
/// ```
///
/// Any other type implements serde's traits with the help of a transcoding:
///
/// ```
/// use es_core::{Transcoding, transcoding};
/// use serde::{Deserialize, Deserializer, Serialize, Serializer};
///
/// const WEIGHT: Transcoding = transcoding!("weight_g");
///
/// pub struct Weight {
///     grams: u64,
/// }
///
/// impl Serialize for Weight {
///     fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
///         WEIGHT.serialize(&self.grams, serializer)
///     }
/// }
///
/// impl<'de> Deserialize<'de> for Weight {
///     fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
///         WEIGHT.deserialize(deserializer).map(|grams| Self { grams })
///     }
/// }
/// ```
///
/// A value is read from this form, and from plain text. In formats other than stored events it is
/// text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transcoding {
    /// The name, including [`PREFIX`].
    full_name: &'static str,
}

/// The state of a name of a transcoding: empty or not.
#[derive(Debug)]
pub struct NameIsEmpty<const IS_EMPTY: bool>;

/// A name that a transcoding can have.
#[diagnostic::on_unimplemented(
    message = "the name of a transcoding is empty",
    label = "write the name under which Python registers it: `transcoding!(\"weight_g\")`"
)]
pub trait IsName {}

impl IsName for NameIsEmpty<false> {}

/// Creates a [`Transcoding`] by its name. With a type that has `Display` and `FromStr`, it
/// implements serde's traits for the type.
#[macro_export]
macro_rules! transcoding {
    ($name:literal) => {
        $crate::Transcoding::__new::<{ ::core::concat!($name).is_empty() }>(::core::concat!(
            "$transcoded::",
            $name
        ))
    };
    ($name:literal, $type:ty) => {
        const _: () = {
            const __TRANSCODING: $crate::Transcoding = $crate::transcoding!($name);

            impl $crate::__private::serde::Serialize for $type {
                fn serialize<S: $crate::__private::serde::Serializer>(
                    &self,
                    serializer: S,
                ) -> ::core::result::Result<S::Ok, S::Error> {
                    __TRANSCODING.serialize(self, serializer)
                }
            }

            impl<'de> $crate::__private::serde::Deserialize<'de> for $type {
                fn deserialize<D: $crate::__private::serde::Deserializer<'de>>(
                    deserializer: D,
                ) -> ::core::result::Result<Self, D::Error> {
                    __TRANSCODING.deserialize(deserializer)
                }
            }
        };
    };
}

impl Transcoding {
    /// Fails to compile, at the user's macro, if the name is empty.
    #[doc(hidden)]
    pub const fn __new<const IS_EMPTY: bool>(full_name: &'static str) -> Self
    where
        NameIsEmpty<IS_EMPTY>: IsName,
    {
        Self { full_name }
    }

    /// Returns the name.
    pub fn name(self) -> &'static str {
        self.full_name.strip_prefix(PREFIX).unwrap_or_default()
    }

    /// Serialises the text of `value`.
    ///
    /// # Errors
    /// Fails when the serializer fails.
    pub fn serialize<T: Display + ?Sized, S: Serializer>(
        self,
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(self.full_name, &value.to_string())
    }

    /// Deserialises a value from its text.
    ///
    /// # Errors
    /// Fails when the value is stored in another form, or the text is not a `T`.
    pub fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<T, D::Error> {
        let visitor = TextOf::<T> {
            transcoding: self,
            value: PhantomData,
        };
        deserializer.deserialize_newtype_struct(self.full_name, visitor)
    }
}

/// Reads a `T` from its text, or from the whole form if a format does not know transcodings.
struct TextOf<T> {
    transcoding: Transcoding,
    value: PhantomData<T>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    #[serde(rename = "_type_")]
    name: String,
    #[serde(rename = "_data_")]
    text: String,
}

impl<'de, T: FromStr> de::Visitor<'de> for TextOf<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a value of the transcoding `{}`",
            self.transcoding.name()
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        // The text is a value, which errors do not show.
        text.parse()
            .map_err(|_| E::invalid_value(de::Unexpected::Str("…"), &self))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<T, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let form = Form::deserialize(de::value::MapAccessDeserializer::new(map))?;
        if form.name == self.transcoding.name() {
            return self.visit_str(&form.text);
        }
        Err(de::Error::invalid_type(
            de::Unexpected::Other("another transcoding"),
            &self,
        ))
    }
}
