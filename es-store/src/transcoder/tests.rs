//! Reads and writes the bytes that Python stores, and refuses bytes that it never stores.

mod bad;
mod named;
mod nulls;
mod shapes;
mod times;
mod unfaithful;
mod values;

use es_core::{FieldError, FieldReader, FieldWriter, StoredField};

use super::{JsonReader, JsonWriter};

/// Returns the stored form of a field.
fn try_write<T: StoredField>(value: &T) -> Result<String, FieldError> {
    let mut writer = JsonWriter::new();
    writer.put("key", value)?;
    let object = String::from_utf8(writer.finish()).expect("UTF-8");
    let value = object
        .strip_prefix("{\"key\":")
        .and_then(|rest| rest.strip_suffix('}'));
    Ok(value.expect("an object").to_owned())
}

fn write<T: StoredField>(value: &T) -> String {
    try_write(value).expect("it can be written")
}

fn try_read<T: StoredField>(stored: &str) -> Result<T, FieldError> {
    let state = format!("{{\"before\":[{{}}],\"key\":{stored},\"behind\":null}}");
    JsonReader::new(state.as_bytes())
        .map_err(|problem| FieldError::new("state", problem))?
        .take("key")
}

fn read<T: StoredField>(stored: &str) -> T {
    try_read(stored).unwrap_or_else(|error| panic!("{error}: {stored}"))
}

/// Asserts that a value is written as `stored` and read back from it.
#[track_caller]
fn both_ways<T: StoredField + PartialEq + std::fmt::Debug>(value: T, stored: &str) {
    assert_eq!(write(&value), stored);
    assert_eq!(read::<T>(stored), value);
}
