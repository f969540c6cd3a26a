//! Damaged data is an error that shows no value, and never a panic.

use std::collections::HashMap;

use es_core::{FieldReader, FieldWriter, Timestamp};
use proptest::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use super::{JsonReader, JsonWriter, StoredField, try_read, try_write};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    size: u8,
}

#[derive(Debug, Serialize, Deserialize)]
enum Colour {
    Red,
    Green,
}

/// A type that shows the value in its own errors.
#[derive(Debug)]
struct Chatty;

impl Serialize for Chatty {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("hush, expected hush"))
    }
}

impl<'de> Deserialize<'de> for Chatty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Err(serde::de::Error::custom(format!("{text}, expected {text}")))
    }
}

#[track_caller]
fn refused<T: StoredField + std::fmt::Debug>(stored: &str, message: &str) {
    let refused = try_read::<T>(stored).expect_err("refused").to_string();
    assert_eq!(refused, format!("field `key`: {message}"));
}

#[test]
fn an_error_says_what_was_expected_and_never_what_was_found() {
    refused::<u8>(r#""hush""#, "expected u8");
    refused::<u8>("300", "found another value of type integer, expected u8");
    refused::<String>("[\"hush\"]", "expected a string");
    refused::<Vec<Option<u8>>>(r#"[1,"hush, expected hush"]"#, "expected u8");
    refused::<Colour>(
        r#""hush""#,
        r#"found an unknown variant, expected one of ["Red", "Green"]"#,
    );
    refused::<Strict>(
        r#"{"hush":1}"#,
        r#"found an unknown key, expected one of ["size"]"#,
    );
    refused::<Strict>("{}", "missing field `size`");
    refused::<Strict>(r#"{"size":1,"size":2}"#, "duplicate field `size`");
    refused::<(u8, u8)>("[1]", "found length 1, expected a tuple of size 2");
    refused::<Timestamp>(r#""hush""#, "its type refuses the stored value");
    refused::<Timestamp>(
        r#"{"_type_":"uuid_hex","_data_":"hush"}"#,
        "expected a time such as 2024-01-02T03:04:05.000600+00:00; it is stored as the transcoding `uuid_hex`",
    );
    refused::<Uuid>(r#""hush""#, "expected a UUID, or an array of bytes");
    refused::<Uuid>(
        r#"{"_type_":"datetime_iso","_data_":"hush"}"#,
        "expected a UUID, or an array of bytes; it is stored as the transcoding `datetime_iso`",
    );
    refused::<HashMap<Uuid, u8>>(r#"{"hush":1}"#, "its type refuses the stored value");
    let message = "invalid value: expected key to be a number in quotes at line 1 column 2";
    refused::<HashMap<u8, u8>>(r#"{"hush":1}"#, message);
    refused::<Vec<Chatty>>(r#"["hush"]"#, "its type refuses the stored value");
    let refused = try_write(&vec![Chatty]).expect_err("refused").to_string();
    assert_eq!(refused, "field `key`: its type refuses to write it");
}

#[test]
fn damaged_states_are_errors() {
    for state in [
        "",
        " ",
        "{",
        "}",
        "[]",
        "null",
        "\"hush\"",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1}x",
        "{a:1}",
        "{\"a\":NaN}",
        "{\"a\":01}",
        "{\"a\":\"\u{1}\"}",
    ] {
        let problem = JsonReader::new(state.as_bytes())
            .err()
            .unwrap_or_else(|| panic!("{state} is damaged"));
        assert!(!problem.contains("hush"), "{problem}");
    }
    assert_eq!(
        JsonReader::new(b"{\"a\":\"\xff\"}").err().expect("damaged"),
        "it is no UTF-8 text, as if it were compressed or encrypted"
    );
}

#[test]
fn reserved_names_are_no_fields() {
    assert!(JsonWriter::new().put("timestamp", &1).is_err());
}

#[test]
fn endless_nesting_is_an_error() {
    let depth = 100_000;
    for (open, close) in [
        ("[", "]"),
        (r#"{"a":"#, "}"),
        (r#"{"_type_":"#, "}"),
        (r#"{"_data_":"#, "}"),
    ] {
        let stored = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert!(try_read::<Value>(&stored).is_err(), "{open}");
        let stored = format!("{}1{}", open.repeat(100), close.repeat(100));
        assert!(try_read::<Value>(&stored).is_ok(), "{open}");
    }
}

/// Reads a state as everything that there is.
fn read_all(state: &[u8]) {
    let Ok(mut reader) = JsonReader::new(state) else {
        return;
    };
    let keys: Vec<_> = reader
        .fields
        .iter()
        .map(|(key, _)| key.to_string())
        .collect();
    for key in keys {
        let key: &'static str = if key == "a" { "a" } else { "_type_" };
        let _ = reader.take::<Value>(key);
        let _ = reader.take::<Uuid>(key);
        let _ = reader.take::<Timestamp>(key);
        let _ = reader.take::<HashMap<Uuid, Vec<f32>>>(key);
        let _ = reader.take::<Option<i128>>(key);
        let _ = reader.take::<Colour>(key);
        let _ = reader.take::<Strict>(key);
        let _ = reader.take::<Box<serde_json::value::RawValue>>(key);
    }
}

proptest! {
    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_all(&bytes);
    }

    #[test]
    fn anything_like_a_state_never_panics(
        parts in prop::collection::vec(prop::sample::select(PARTS), 0..30)
    ) {
        read_all(format!("{{\"a\":{}", parts.concat()).as_bytes());
        read_all(format!("{{\"a\":[{}]}}", parts.join(",")).as_bytes());
    }

    #[test]
    fn a_state_with_damaged_bytes_never_panics_and_is_written_again_as_it_is_read(
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)
    ) {
        let mut bytes = STATE.as_bytes().to_vec();
        for (at, byte) in damages {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read_all(&bytes);
        let Ok(reader) = JsonReader::new(&bytes) else {
            return Ok(());
        };
        let mut writer = JsonWriter::new();
        prop_assert!(writer.put_each(&reader, &[]).is_ok());
        let again = writer.finish();
        let again = JsonReader::new(&again);
        let again = again.as_ref().expect("what is written can be read");
        let texts = |reader: &JsonReader<'_>| -> Vec<_> {
            let fields = reader.iter();
            fields.map(|(key, value)| (key.to_owned(), value.get().to_owned())).collect()
        };
        prop_assert_eq!(texts(&reader), texts(again));
    }
}

/// A state with a value of each kind.
const STATE: &str = r#"{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00",null,true],"_type_":{"_type_":"uuid_hex","_data_":"00000000000000000000000000000001"},"b":{"_type_":"datetime_iso","_data_":"2026-11-21T21:43:45.590367+00:00"},"c":{"d":{}}}"#;

const PARTS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"_type_\"",
    "\"_data_\"",
    "\"uuid_hex\"",
    "\"datetime_iso\"",
    "1",
    "-1",
    "1e999",
    "1e5",
    "\"\\ud800\"",
    "\"\\u00\"",
    "null",
    "true",
    "\"size\":",
    "\"Red\"",
    "18446744073709551616",
    "{}",
    "[]",
    "{\"_type_\":\"uuid_hex\",\"_data_\":\"x\"}",
    "{\"_data_\":1,\"_type_\":2,\"a\":3}",
];
