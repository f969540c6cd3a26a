//! What is written must come back as it is, or it is refused while it can still be mended.
//!
//! A value may be written in one form and expected in another. Inside a type that serde reads without saying what
//! it wants (tagged inside, untagged, or flattened), IP addresses are expected as text, 128-bit numbers and keys that
//! are numbers not at all, and 16 bytes cannot be told from a UUID. An object of any JSON may look like a transcoding,
//! and a value may be nested deeper than is read. No type says so of itself: it is tried.

use std::any::TypeId;

use es_core::{AggregateId, StoredField, Timestamp};
use serde_json::Deserializer;
use uuid::Uuid;

use super::read::Reader;
use super::write;

/// Refuses what was written of a `T` behind `start`, unless it is read and written again as the same.
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
    let is_same = again.is_ok() && same(before.get(start..).unwrap_or_default(), again_written);
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

/// Whether these are the same bytes. They may stand in another order, as a map or a set has another with each copy.
fn same(before: &[u8], again: &[u8]) -> bool {
    before == again || (before.len() == again.len() && counts(before) == counts(again))
}

/// How often each byte is there.
fn counts(bytes: &[u8]) -> [usize; 256] {
    let mut counts = [0; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    counts
}

macro_rules! is_one_of {
    ($is:ident: $($type:ty),*) => {
        $($is == TypeId::of::<$type>()
            || $is == TypeId::of::<Option<$type>>()
            || $is == TypeId::of::<Vec<$type>>())||*
    };
}

/// The types that most fields have. They need not be tried, which would cost more than to write them.
fn always_comes_back<T: 'static>() -> bool {
    let is = TypeId::of::<T>();
    is_one_of!(is:
        bool, char, String, Uuid, Timestamp, AggregateId, f32, f64,
        i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize
    )
}
