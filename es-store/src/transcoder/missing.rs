//! The deserializer of a field that is missing.

use serde::de::{Deserializer, Visitor};

use super::error::Redacted;

/// Deserializes a missing field: an absent `Option`, or an error.
pub(super) struct Missing;

impl<'de> Deserializer<'de> for Missing {
    type Error = Redacted;

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Redacted> {
        Err(Redacted::new(
            "it is missing; a parameter that older events do not have must be an `Option`",
        ))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Redacted> {
        visitor.visit_none()
    }
}
