//! Transcodings by name: decimal numbers, and those of the user's own types.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use es_core::{Decimal, Transcoding, transcoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use super::{both_ways, read, try_read, try_write, write};

const TEN: &str = r#"{"_type_":"decimal_str","_data_":"10.00"}"#;

fn ten() -> Decimal {
    "10.00".parse().expect("a number")
}

/// A type that is stored as its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Weight(String);

transcoding!("weight_kg", Weight);

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Weight {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

fn weight() -> Weight {
    Weight("1.5".to_owned())
}

/// A type of which one part is stored as its text.
#[derive(Debug, PartialEq)]
struct Length {
    metres: u32,
}

const LENGTH: Transcoding = transcoding!("length_m");

impl Serialize for Length {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        LENGTH.serialize(&self.metres, serializer)
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let metres = LENGTH.deserialize(deserializer)?;
        Ok(Self { metres })
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Of { price: Decimal, weight: Weight },
}

#[test]
fn a_decimal_number_is_stored_as_python_stores_it() {
    both_ways(ten(), TEN);
    both_ways(vec![Some(ten()), None], &format!("[{TEN},null]"));
    assert_eq!(read::<Decimal>(r#""10.00""#), ten());
    both_ways(BTreeMap::from([(ten(), 1)]), r#"{"10.00":1}"#);
    // Where the reader does not name a type, it is read as its text, as UUIDs and times are.
    assert_eq!(read::<Value>(TEN), json!("10.00"));
    let zero: Decimal = "-0".parse().expect("a number");
    assert_eq!(read::<Decimal>(&write(&zero)), zero);
}

#[test]
fn a_decimal_number_that_has_no_room_is_an_error_and_not_rounded() {
    let stored = r#"{"_type_":"decimal_str","_data_":"0.12345678901234567890123456789"}"#;
    let refused = try_read::<Decimal>(stored)
        .expect_err("29 digits")
        .to_string();
    assert_eq!(
        refused,
        "field `key`: found another value of type string, expected a value of the transcoding `decimal_str`; \
         it is stored as the transcoding `decimal_str`"
    );
}

#[test]
fn users_have_transcodings_of_their_own() {
    both_ways(vec![weight()], r#"[{"_type_":"weight_kg","_data_":"1.5"}]"#);
    both_ways(
        Length { metres: 7 },
        r#"{"_type_":"length_m","_data_":"7"}"#,
    );
    both_ways(
        BTreeMap::from([(weight(), weight())]),
        r#"{"1.5":{"_type_":"weight_kg","_data_":"1.5"}}"#,
    );
    assert_eq!(LENGTH.name(), "length_m");
}

#[test]
fn transcodings_stand_in_tagged_types_too() {
    let tagged = Tagged::Of {
        price: ten(),
        weight: weight(),
    };
    let stored = format!(
        r#"{{"kind":"Of","price":{TEN},"weight":{{"_type_":"weight_kg","_data_":"1.5"}}}}"#
    );
    both_ways(tagged, &stored);
}

#[test]
fn in_another_format_a_transcoding_is_text() {
    let text = serde_json::to_string(&weight()).expect("written");
    assert_eq!(text, r#""1.5""#);
    assert_eq!(
        serde_json::from_str::<Weight>(&text).expect("read"),
        weight()
    );
}

#[test]
fn another_transcoding_than_the_types_own_is_named() {
    #[track_caller]
    fn refused<T: super::StoredField + fmt::Debug>(stored: &str, message: &str) {
        let refused = try_read::<T>(stored).expect_err("refused").to_string();
        assert_eq!(refused, format!("field `key`: {message}"));
    }
    let of_somebody = r#"{"_type_":"of_somebody","_data_":"hush"}"#;
    let stored_as = "it is stored as the transcoding `of_somebody`";
    refused::<String>(of_somebody, &format!("expected a string; {stored_as}"));
    refused::<u8>(of_somebody, &format!("expected u8; {stored_as}"));
    refused::<Vec<u8>>(of_somebody, &format!("expected a sequence; {stored_as}"));
    refused::<Tagged>(of_somebody, &format!("missing field `kind`; {stored_as}"));
    refused::<Weight>(
        of_somebody,
        &format!("expected a value of the transcoding `weight_kg`; {stored_as}"),
    );
    refused::<Decimal>(
        of_somebody,
        &format!("expected a value of the transcoding `decimal_str`; {stored_as}"),
    );
    refused::<String>(
        r#"{"_type_":"hush, hush","_data_":{"hush":1}}"#,
        "expected a string; it is stored as the transcoding",
    );
    assert!(try_read::<Length>(r#"{"_type_":"length_m","_data_":"hush"}"#).is_err());
    assert!(try_write(&json!({"_type_": "decimal_str", "_data_": "1"})).is_err());
}
