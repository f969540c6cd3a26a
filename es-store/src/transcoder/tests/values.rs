//! Values that Python stored.

use std::collections::{BTreeMap, HashMap};

use es_core::{Decimal, Timestamp};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{both_ways, read, try_write, write};

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/fixtures/python/values.json"
);

#[derive(Deserialize)]
struct Stored {
    kind: String,
    stored: String,
}

fn stored() -> Vec<Stored> {
    let file = std::fs::read_to_string(FILE).expect("the values");
    serde_json::from_str(&file).expect("a list of values")
}

#[test]
fn what_python_stored_is_read_and_written_again_byte_for_byte() {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for Stored { kind, stored } in stored() {
        let written = match kind.as_str() {
            "null" => write(&read::<Option<u8>>(&stored)),
            "bool" => write(&read::<bool>(&stored)),
            "int" => write(&read::<i64>(&stored)),
            "uint" => write(&read::<u64>(&stored)),
            "float" => write(&read::<f64>(&stored)),
            "str" => write(&read::<String>(&stored)),
            // The reader does not know the types inside, as in Python. (A plain map of serde_json
            // would sort its keys.)
            "list" => write(&read::<Value>(&stored)),
            "map" => write(&read::<Box<serde_json::value::RawValue>>(&stored)),
            "uuid" => write(&read::<Uuid>(&stored)),
            "list of uuid" => write(&read::<Vec<Uuid>>(&stored)),
            "map of uuid" => write(&read::<HashMap<String, Uuid>>(&stored)),
            // It is the same moment, but written in UTC.
            "datetime" if stored.contains("+05:30") => {
                let utc = "2024-02-28T18:30:00+00:00";
                assert_eq!(read::<Timestamp>(&stored), utc.parse().expect("a time"));
                write(&read::<Timestamp>(&stored)).replace(utc, "2024-02-29T00:00:00+05:30")
            }
            "datetime" => write(&read::<Timestamp>(&stored)),
            "decimal" => write(&read::<Decimal>(&stored)),
            other => panic!("`{other}` is not tested"),
        };
        assert_eq!(written, stored, "{kind}");
        *kinds.entry(kind).or_default() += 1;
    }
    assert_eq!(kinds.values().sum::<usize>(), 44, "{kinds:?}");
}

#[test]
fn maps_are_written_in_the_order_of_their_fields() {
    #[derive(Debug, PartialEq, serde::Serialize, Deserialize)]
    struct Inner {
        c: Option<u8>,
    }
    #[derive(Debug, PartialEq, serde::Serialize, Deserialize)]
    struct Outer {
        b: u8,
        a: Inner,
    }
    both_ways(
        Outer {
            b: 1,
            a: Inner { c: None },
        },
        r#"{"b":1,"a":{"c":null}}"#,
    );
}

#[test]
fn floats_are_written_as_python_writes_them() {
    for (value, stored) in [
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (100.0, "100.0"),
        (12.5, "12.5"),
        (-1234.0625, "-1234.0625"),
        (0.001, "0.001"),
        (-0.000123, "-0.000123"),
        (0.0000123, "1.23e-05"),
        (9_999_999_999_999_998.0, "9999999999999998.0"),
        (1e16, "1e+16"),
        (1.5e300, "1.5e+300"),
        (-1e-100, "-1e-100"),
        // Exactly half way between two shortest forms, Python takes the even one.
        (-4_452_712_482_368_009.0 / 4.0, "-1113178120592002.2"),
        (-1_871_134_174_267_437.0 / 8.0, "-233891771783429.62"),
        (2.0_f64.powi(-44), "5.684341886080802e-14"),
    ] {
        both_ways::<f64>(value, stored);
    }
    both_ways::<f32>(0.1, "0.1");
    both_ways::<f32>(f32::MAX, "3.4028235e+38");
    both_ways::<f32>(16_777_216.0, "16777216.0");
}

#[test]
fn a_float_that_is_not_finite_is_refused() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let refused = try_write(&vec![value]).expect_err("not finite").to_string();
        assert_eq!(
            refused,
            "field `key[0]`: a float that is not finite cannot be stored"
        );
    }
    assert!(try_write(&f32::NAN).is_err());
}

#[test]
fn integers_keep_all_their_digits() {
    both_ways(i128::MIN, "-170141183460469231731687303715884105728");
    both_ways(u128::MAX, "340282366920938463463374607431768211455");
    both_ways(
        vec![Some(i128::from(u64::MAX) + 1)],
        "[18446744073709551616]",
    );
}

#[test]
fn text_may_be_escaped_when_it_is_read() {
    assert_eq!(read::<String>(r#""\u00e9 \ud83d\udc08 \/""#), "é 🐈 /");
}

proptest! {
    #[test]
    fn any_finite_float_comes_back(bits: u64) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        prop_assert_eq!(read::<f64>(&write(&value)).to_bits(), bits);
    }

    #[test]
    fn any_finite_single_float_comes_back(bits: u32) {
        let value = f32::from_bits(bits);
        prop_assume!(value.is_finite());
        prop_assert_eq!(read::<f32>(&write(&value)).to_bits(), bits);
    }

    #[test]
    fn any_text_comes_back(text in any::<String>(), character: char) {
        let value = (text, character);
        prop_assert_eq!(read::<(String, char)>(&write(&value)), value);
    }

    #[test]
    fn any_integer_comes_back(signed: i128, unsigned: u128) {
        prop_assert_eq!(read::<(i128, u128)>(&write(&(signed, unsigned))), (signed, unsigned));
    }

    #[test]
    fn any_nested_value_comes_back(value in nested()) {
        prop_assert_eq!(read::<Value>(&write(&value)), value);
    }
}

/// Nested values, some with one of the keys of a transcoding, but never with exactly both.
fn nested() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let key = prop_oneof!["_type_", "_data_", any::<String>()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
