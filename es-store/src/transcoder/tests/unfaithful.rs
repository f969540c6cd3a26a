//! Values that would come back changed are refused while their author can still fix it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use es_core::{AggregateId, Timestamp};
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{StoredField, read, try_write, write};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged<T> {
    Of { value: T },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged<T> {
    Of { value: T },
    Bare(T),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat<T> {
    name: String,
    #[serde(flatten)]
    inner: Inner<T>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner<T> {
    value: T,
}

#[track_caller]
fn refused<T: StoredField>(value: &T) {
    let refused = try_write(value).expect_err("refused").to_string();
    assert!(
        refused.starts_with("field `key`: it would not come back as it is: ")
            && refused
                .ends_with("store a String, or derive another representation with serde(with)"),
        "{refused}"
    );
    assert!(!refused.contains("hush"), "{refused}");
}

#[track_caller]
fn refused_where_nobody_says_what_it_is<T: StoredField + Clone>(value: T) {
    refused(&Tagged::Of {
        value: value.clone(),
    });
    refused(&Untagged::Of {
        value: value.clone(),
    });
    refused(&Untagged::Bare(value.clone()));
    refused(&Flat {
        name: String::new(),
        inner: Inner { value },
    });
}

#[track_caller]
fn accepted<T: StoredField + PartialEq + fmt::Debug>(value: T) {
    assert_eq!(read::<T>(&write(&value)), value);
}

#[track_caller]
fn accepted_everywhere<T: StoredField + PartialEq + fmt::Debug + Clone>(value: T) {
    accepted(Tagged::Of {
        value: value.clone(),
    });
    accepted(Untagged::Of {
        value: value.clone(),
    });
    accepted(Untagged::Bare(value.clone()));
    accepted(Flat {
        name: "name".to_owned(),
        inner: Inner {
            value: value.clone(),
        },
    });
    accepted(Some(vec![value.clone()]));
    accepted(value);
}

/// Sixteen bytes that are not a UUID, though they are written as one.
#[derive(Debug, Clone, PartialEq)]
struct Key([u8; 16]);

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyKey;
        impl Visitor<'_> for AnyKey {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("16 bytes")
            }
            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Key, E> {
                let key = bytes.try_into().map_err(|_| E::custom("hush"))?;
                Ok(Key(key))
            }
        }
        deserializer.deserialize_bytes(AnyKey)
    }
}

#[test]
fn what_serde_reads_in_another_form_than_it_was_written_is_refused() {
    refused_where_nobody_says_what_it_is(IpAddr::from(Ipv4Addr::LOCALHOST));
    refused_where_nobody_says_what_it_is(SocketAddr::from((Ipv4Addr::LOCALHOST, 80)));
    refused_where_nobody_says_what_it_is(Key([7; 16]));
    refused_where_nobody_says_what_it_is(u128::MAX);
    refused_where_nobody_says_what_it_is(1_u128);
    refused_where_nobody_says_what_it_is(1_i128);
    refused_where_nobody_says_what_it_is(i128::MIN);
    // Where the reader names the type, they are stored.
    accepted(IpAddr::from(Ipv4Addr::LOCALHOST));
    accepted(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 80))]);
    accepted(Key([7; 16]));
    accepted(vec![(u128::MAX, i128::MIN)]);
}

#[test]
fn keys_that_are_numbers_are_refused_where_nobody_says_so() {
    let map = BTreeMap::from([(1_u64, true)]);
    refused_where_nobody_says_what_it_is(map.clone());
    accepted(map);
}

#[test]
fn an_object_that_looks_like_a_transcoding_is_refused() {
    let object = json!({"_type_": "uuid_hex", "_data_": "hush"});
    refused(&object);
    refused(&json!([{"deep": object}]));
    refused(&Some(object.clone()));
    refused(&HashMap::from([("a".to_owned(), object.clone())]));
    refused_where_nobody_says_what_it_is(object);
    accepted(json!({"_type_": "of_somebody", "_data_": "x"}));
    accepted(json!({"_type_": "uuid_hex", "_data_": "x", "more": null}));
}

#[test]
fn what_is_nested_deeper_than_can_be_read_is_refused() {
    let nested = |depth| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    accepted(nested(100));
    refused(&nested(200));
}

#[test]
fn a_text_that_would_come_back_as_a_uuid_is_refused() {
    let id = Uuid::NAMESPACE_URL;
    accepted_everywhere(AggregateId::from(id));
    accepted_everywhere(AggregateId::from("dog-1"));
    accepted(AggregateId::from(id.to_string()));
    refused(&Tagged::Of {
        value: AggregateId::from(id.to_string()),
    });
}

#[test]
fn what_comes_back_is_stored_wherever_it_is() {
    accepted_everywhere(Uuid::NAMESPACE_URL);
    accepted_everywhere(Uuid::nil());
    accepted_everywhere(
        "2024-01-02T03:04:05.000600Z"
            .parse::<Timestamp>()
            .expect("a time"),
    );
    accepted_everywhere("text".to_owned());
    accepted_everywhere(u64::MAX);
    accepted_everywhere(i64::MIN);
    accepted_everywhere(0.1_f32);
    accepted_everywhere(1e300_f64);
    accepted_everywhere('é');
    accepted_everywhere(vec![Some(true), None]);
    accepted_everywhere(vec![0_u8, 255]);
    accepted_everywhere(std::time::Duration::from_millis(1500));
}

#[test]
fn a_map_or_set_may_come_back_in_another_order() {
    for _ in 0..20 {
        accepted(
            (0..50)
                .map(|n| (n.to_string(), n))
                .collect::<HashMap<String, u32>>(),
        );
        accepted((0..50).map(Uuid::from_u128).collect::<HashSet<Uuid>>());
        accepted(Tagged::Of {
            value: (0..50)
                .map(|n| (n.to_string(), Uuid::from_u128(n)))
                .collect::<HashMap<_, _>>(),
        });
    }
}

#[test]
fn fields_that_are_not_stored_change_nothing() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Cached {
        kept: String,
        #[serde(skip)]
        cache: Option<u8>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tags: Vec<String>,
    }
    let cached = Cached {
        kept: "text".to_owned(),
        cache: Some(2),
        tags: Vec::new(),
    };
    assert_eq!(write(&cached), r#"{"kept":"text"}"#);
    assert_eq!(read::<Cached>(&write(&cached)).cache, None);
}

#[test]
fn another_value_of_the_same_length_is_another_value() {
    #[derive(Serialize, Deserialize)]
    struct Growing {
        #[serde(with = "one_more")]
        number: u8,
    }
    mod one_more {
        use serde::{Deserialize, Deserializer, Serializer};

        pub(super) fn serialize<S: Serializer>(number: &u8, to: S) -> Result<S::Ok, S::Error> {
            to.serialize_u8(number + 1)
        }

        pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
            u8::deserialize(from)
        }
    }
    refused(&Growing { number: 1 });
}

#[test]
fn a_value_of_any_json_is_stored_with_all_its_fields() {
    let value: Value = json!({"a": [1, -1, 1.5, null, true, "text"], "b": {"c": {}}});
    accepted_everywhere(value);
}
