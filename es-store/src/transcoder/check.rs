//! Checks that a written value is read back as the same value. Otherwise it is refused, while its
//! author can still fix it.
//!
//! A value may be written in one form and expected in another. Types that serde reads through
//! `deserialize_any` (internally tagged, untagged or flattened) show this: inside them IP addresses
//! are expected as text, 128-bit numbers and numeric keys are not supported, and 16 bytes cannot be
//! told from a UUID. Any JSON object may look like a transcoding, and a value may be nested deeper
//! than the reader allows. No type declares this, so each value is read back.

use std::any::TypeId;
use std::borrow::Cow;

use es_core::{AggregateId, StoredField, Timestamp};
use serde_json::Deserializer;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::read::Reader;
use super::{JsonReader, write};

/// Refuses the value of type `T` that was written from `start` on, unless reading and writing it
/// again gives the same JSON.
pub(super) fn check<T: StoredField>(bytes: &mut Vec<u8>, start: usize) -> Result<(), String> {
    if always_comes_back::<T>() {
        return Ok(());
    }
    let end = bytes.len();
    let written = bytes.get(start..).unwrap_or_default();
    let read = T::deserialize(Reader::new(&mut Deserializer::from_slice(written)))
        .map_err(|error| refusal(&error.message))?;
    let again = write::write(bytes, &read);
    let (before, again_written) = bytes.split_at(end);
    let is_same = again.is_ok() && is_same(before.get(start..).unwrap_or_default(), again_written);
    bytes.truncate(end);
    if is_same {
        Ok(())
    } else {
        Err(refusal("it would be another value"))
    }
}

fn refusal(problem: &str) -> String {
    format!(
        "it would not come back as it is: {problem}; store a String, or derive another representation with serde(with)"
    )
}

/// Returns true if both are the same JSON. The order of keys and elements does not count, because
/// it differs between two copies of a map or a set.
fn is_same(before: &[u8], again: &[u8]) -> bool {
    if before == again {
        return true;
    }
    let read = |json| serde_json::from_slice::<&RawValue>(json).ok().map(Json::of);
    matches!((read(before), read(again)), (Some(before), Some(again)) if before == again)
}

/// JSON with sorted object entries and array elements. Values are kept as text, so that no digit of
/// a number is lost.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Json<'a> {
    Value(&'a str),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
    Array(Vec<Json<'a>>),
}

impl<'a> Json<'a> {
    fn of(raw: &'a RawValue) -> Self {
        let text = raw.get();
        if let Ok(object) = JsonReader::new(text.as_bytes()) {
            let entries = object.fields.into_iter();
            let mut entries: Vec<_> = entries.map(|(key, value)| (key, Self::of(value))).collect();
            entries.sort();
            return Self::Object(entries);
        }
        if let Ok(elements) = serde_json::from_str::<Vec<&'a RawValue>>(text) {
            let mut elements: Vec<_> = elements.into_iter().map(Self::of).collect();
            elements.sort();
            return Self::Array(elements);
        }
        Self::Value(text)
    }
}

macro_rules! is_one_of {
    ($is:ident: $($type:ty),*) => {
        $($is == TypeId::of::<$type>()
            || $is == TypeId::of::<Option<$type>>()
            || $is == TypeId::of::<Vec<$type>>())||*
    };
}

/// Returns true for the types that most fields have. They always come back, and reading them back
/// would cost more than writing them.
fn always_comes_back<T: 'static>() -> bool {
    let is = TypeId::of::<T>();
    is_one_of!(is:
        bool, char, String, Uuid, Timestamp, AggregateId, f32, f64,
        i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize
    )
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn entries_and_elements_may_change_places_and_digits_may_not() {
        for (before, again) in [
            (
                r#"{"a":1,"b":[1,{"c":2,"d":3}]}"#,
                r#"{"b":[{"d":3,"c":2},1],"a":1}"#,
            ),
            ("[3,1,2]", "[1,2,3]"),
        ] {
            assert!(is_same(before.as_bytes(), again.as_bytes()), "{again}");
        }
        for (before, again) in [
            (r#"{"a":12}"#, r#"{"a":21}"#),
            (r#"{"a":1,"b":2}"#, r#"{"a":2,"b":1}"#),
            ("[1,1,2]", "[1,2,2]"),
            (r#"[["a"],"b"]"#, r#"[["b"],"a"]"#),
        ] {
            assert!(!is_same(before.as_bytes(), again.as_bytes()), "{again}");
        }
    }
}
