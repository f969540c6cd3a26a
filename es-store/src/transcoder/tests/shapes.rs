//! The shapes that serde gives to types: enums, flattened fields, keys, and values of unknown type.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use es_core::Timestamp;
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{both_ways, read, write};

const ID: Uuid = Uuid::from_u128(0xb2723fe2_c01a_40d2_875e_a3aac6a09ff5);
const STORED_ID: &str = r#"{"_type_":"uuid_hex","_data_":"b2723fe2c01a40d2875ea3aac6a09ff5"}"#;
const STORED_TIME: &str = r#"{"_type_":"datetime_iso","_data_":"2024-01-02T03:04:05+00:00"}"#;

fn time() -> Timestamp {
    "2024-01-02T03:04:05Z".parse().expect("a time")
}

#[test]
fn a_uuid_is_read_in_every_form_that_there_is() {
    for stored in [
        STORED_ID,
        r#"{"_data_":"b2723fe2c01a40d2875ea3aac6a09ff5","_type_":"uuid_hex"}"#,
        r#" { "_type_" : "uuid_hex" , "_data_" : "b2723fe2-c01a-40d2-875e-a3aac6a09ff5" } "#,
        r#""b2723fe2-c01a-40d2-875e-a3aac6a09ff5""#,
        "[178,114,63,226,192,26,64,210,135,94,163,170,198,160,159,245]",
    ] {
        assert_eq!(read::<Uuid>(stored), ID);
        assert_eq!(read::<Option<Uuid>>(stored), Some(ID));
    }
}

#[test]
fn a_time_is_read_with_any_key_order_and_as_plain_text() {
    for stored in [
        STORED_TIME,
        r#"{"_data_":"2024-01-02T03:04:05Z","_type_":"datetime_iso"}"#,
        r#""2024-01-02T03:04:05+00:00""#,
    ] {
        assert_eq!(read::<Option<Timestamp>>(stored), Some(time()));
    }
    assert_eq!(write(&time()), STORED_TIME);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Plain {
    Unit,
    New(Uuid),
    Tuple(Uuid, f64),
    Struct { id: Uuid, at: Timestamp },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Struct { id: Uuid, at: Option<Timestamp> },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value")]
enum Adjacent {
    New(Uuid),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Id(Uuid),
    Time(Timestamp),
    Number(f64),
    Text(String),
    Map(BTreeMap<String, Untagged>),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    a: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, Untagged>,
}

#[test]
fn enums_hold_transcodings_however_they_are_tagged() {
    both_ways(Plain::Unit, r#""Unit""#);
    both_ways(Plain::New(ID), &format!(r#"{{"New":{STORED_ID}}}"#));
    both_ways(
        Plain::Tuple(ID, 1e16),
        &format!(r#"{{"Tuple":[{STORED_ID},1e+16]}}"#),
    );
    let stored = format!(r#"{{"Struct":{{"id":{STORED_ID},"at":{STORED_TIME}}}}}"#);
    both_ways(Plain::Struct { id: ID, at: time() }, &stored);
    let stored = format!(r#"{{"kind":"Struct","id":{STORED_ID},"at":{STORED_TIME}}}"#);
    both_ways(
        Tagged::Struct {
            id: ID,
            at: Some(time()),
        },
        &stored,
    );
    both_ways(
        Adjacent::New(ID),
        &format!(r#"{{"kind":"New","value":{STORED_ID}}}"#),
    );
    both_ways(
        vec![Untagged::Id(ID), Untagged::Time(time())],
        &format!("[{STORED_ID},{STORED_TIME}]"),
    );
    both_ways(Untagged::Text("text".to_owned()), r#""text""#);
    both_ways(Untagged::Number(1.0), "1.0");
}

#[test]
fn flattened_fields_hold_transcodings() {
    let rest = BTreeMap::from([
        ("id".to_owned(), Untagged::Id(ID)),
        ("map".to_owned(), Untagged::Map(BTreeMap::new())),
    ]);
    both_ways(
        Flat { a: 1, rest },
        &format!(r#"{{"a":1,"id":{STORED_ID},"map":{{}}}}"#),
    );
}

#[test]
fn keys_are_text() {
    both_ways(
        HashMap::from([(ID, ID)]),
        &format!(r#"{{"b2723fe2-c01a-40d2-875e-a3aac6a09ff5":{STORED_ID}}}"#),
    );
    both_ways(
        HashMap::from([(time(), 1)]),
        r#"{"2024-01-02T03:04:05+00:00":1}"#,
    );
    both_ways(
        BTreeMap::from([(1_u64, true), (2, false)]),
        r#"{"1":true,"2":false}"#,
    );
    both_ways(
        BTreeMap::from([(-1_i128, ()), (2, ())]),
        r#"{"-1":null,"2":null}"#,
    );
}

#[test]
fn bytes_are_numbers_unless_they_are_a_uuid() {
    #[derive(Debug, PartialEq)]
    struct Bytes(Vec<u8>);
    impl Serialize for Bytes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(&self.0)
        }
    }
    impl<'de> Deserialize<'de> for Bytes {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct AnyBytes;
            impl Visitor<'_> for AnyBytes {
                type Value = Bytes;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("bytes")
                }
                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                    Ok(Bytes(bytes.to_vec()))
                }
            }
            deserializer.deserialize_byte_buf(AnyBytes)
        }
    }
    both_ways(Bytes(Vec::new()), "[]");
    both_ways(Bytes(vec![0, 255]), "[0,255]");
    both_ways(Bytes(ID.as_bytes().to_vec()), STORED_ID);
}

#[test]
fn a_known_transcoding_is_its_text_where_nobody_says_what_it_is() {
    assert_eq!(
        read::<Value>(STORED_ID),
        json!("b2723fe2c01a40d2875ea3aac6a09ff5")
    );
    assert_eq!(
        read::<Value>(&format!("[{STORED_TIME}]")),
        json!(["2024-01-02T03:04:05+00:00"])
    );
}

#[test]
fn an_object_that_is_no_transcoding_is_left_as_it_is() {
    for object in [
        json!({"_type_": "uuid_hex"}),
        json!({"_data_": "x"}),
        json!({"_type_": "uuid_hex", "_data_": 5}),
        json!({"_type_": ["uuid_hex"], "_data_": {"_type_": 1}}),
        json!({"_type_": "uuid_hex", "_data_": "x", "more": null}),
        json!({"_data_": "x", "a": [1, {"_type_": 2.5}]}),
        json!({"_type_": "of_somebody", "_data_": "x"}),
        json!({"_a": 1, "_type_": "uuid_hex"}),
    ] {
        assert_eq!(read::<Value>(&object.to_string()), object);
    }
    // A reader that asks for a map gets a map.
    let map = read::<BTreeMap<String, String>>(STORED_ID);
    assert_eq!(map.keys().collect::<Vec<_>>(), ["_data_", "_type_"]);
}

#[test]
fn an_absent_option_is_none_and_other_absent_fields_are_missing() {
    use es_core::FieldReader;
    let mut reader = super::JsonReader::new(b"{}").expect("an object");
    assert_eq!(reader.take::<Option<Uuid>>("key"), Ok(None));
    let missing = reader
        .take::<String>("key")
        .expect_err("missing")
        .to_string();
    assert_eq!(
        missing,
        "field `key`: it is missing; a parameter that older events do not have must be an `Option`"
    );
}

#[test]
fn of_a_key_that_is_there_twice_the_last_one_counts() {
    use es_core::FieldReader;
    let mut reader = super::JsonReader::new(br#"{"a":1,"\u0061":2}"#).expect("an object");
    assert_eq!(reader.take::<u8>("a"), Ok(2));
}
