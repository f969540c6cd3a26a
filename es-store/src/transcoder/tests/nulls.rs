//! A `Some` whose content is stored as `null` would come back as `None`, so it is refused, with its
//! place.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::write_value;
use super::{StoredField, read, try_write, write};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Around<T>(T);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Through<T> {
    inner: T,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Bare<T> {
    Of(T),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Answer<T> {
    given: T,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Reply<T> {
    One(T),
    Two(u8, T),
    Named { given: T },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged<T> {
    Of { given: T },
}

/// Asserts that the value is refused, at `place` behind the field's key.
#[track_caller]
fn refused<T: StoredField>(value: &T, place: &str) {
    let refused = try_write(value).expect_err("it is refused").to_string();
    let expected = format!("field `key{place}`: a `Some` whose content is stored as `null`");
    assert!(refused.starts_with(&expected), "{refused}");
    assert!(refused.contains("would come back as `None`"), "{refused}");
    assert!(
        refused.ends_with("use an enum that names each case"),
        "{refused}"
    );
}

#[test]
fn a_some_that_is_stored_as_null_is_refused() {
    refused(&Some(None::<u32>), "");
    refused(&Some(Some(None::<u32>)), "");
    refused(&Some(()), "");
    refused(&Some(Unit), "");
    refused(&Some(PhantomData::<u8>), "");
    refused(&Some(Value::Null), "");
    refused(&Some(Around(None::<u8>)), "");
    refused(&Some(Around(Around(()))), "");
    refused(&Some(Through { inner: Unit }), "");
    refused(&Some(Bare::Of(None::<u8>)), "");
    refused(&Some(Box::new(None::<u8>)), "");
    let raw: Box<RawValue> = serde_json::from_str(" null ").expect("JSON");
    refused(&Some(raw), "");
}

#[test]
fn the_place_of_a_refused_some_is_named_wherever_it_is() {
    let bad = Some(None::<u32>);
    refused(&Answer { given: bad }, ".given");
    refused(&vec![None, Some(Some(1)), bad], "[2]");
    refused(&(1_u8, bad), "[1]");
    refused(
        &BTreeMap::from([("hush", bad)].map(|(k, v)| (k.to_owned(), v))),
        "[key]",
    );
    refused(&Reply::One(bad), ".One");
    refused(&Reply::Two(1, bad), ".Two[1]");
    refused(&Reply::Named { given: bad }, ".Named.given");
    refused(&Tagged::Of { given: bad }, ".given");
    refused(
        &Some(Answer {
            given: Some(Around(())),
        }),
        ".given",
    );
    refused(
        &Answer {
            given: vec![Reply::One(Answer { given: bad })],
        },
        ".given[0].One.given",
    );
    let not_finite = try_write(&Answer {
        given: vec![1.0, f64::NAN],
    })
    .expect_err("refused");
    assert!(
        not_finite
            .to_string()
            .starts_with("field `key.given[1]`: a float"),
        "{not_finite}"
    );
}

#[test]
fn null_outside_of_some_is_stored_as_ever() {
    assert_eq!(write(&None::<Option<u32>>), "null");
    assert_eq!(write(&Some(Some(1))), "1");
    assert_eq!(write(&Value::Null), "null");
    assert_eq!(write(&vec![(), ()]), "[null,null]");
    assert_eq!(write(&Some(vec![None::<u8>])), "[null]");
    assert_eq!(
        write(&Some(Answer { given: None::<u8> })),
        r#"{"given":null}"#
    );
    assert_eq!(write(&Some(Ok::<(), ()>(()))), r#"{"Ok":null}"#);
    let raw: Box<RawValue> = serde_json::from_str(r#""null""#).expect("JSON");
    assert_eq!(write(&Some(raw)), r#""null""#);
}

/// An upcaster passes on what it has found, and `null` was found.
#[test]
fn an_upcaster_may_write_a_null_that_it_has_read() {
    let written = write_value("key", &Some(Value::Null)).expect("it is written");
    assert_eq!(written.get(), "null");
}

type Nested = Option<Option<Answer<Option<Option<Reply<Option<Option<u8>>>>>>>>;

fn maybe<T: std::fmt::Debug + Clone + 'static>(
    inner: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<Option<T>>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(None)),
        4 => inner.prop_map(|inner| Some(Some(inner))),
    ]
    .boxed()
}

fn nested() -> impl Strategy<Value = Nested> {
    let reply = prop_oneof![
        maybe(any::<u8>()).prop_map(Reply::One),
        (any::<u8>(), maybe(any::<u8>())).prop_map(|(a, b)| Reply::Two(a, b)),
        maybe(any::<u8>()).prop_map(|given| Reply::Named { given }),
    ];
    maybe(maybe(reply).prop_map(|given| Answer { given }))
}

proptest! {
    #[test]
    fn whatever_is_accepted_comes_back_equal(
        values in prop::collection::vec(nested(), 0..4),
        map in prop::collection::btree_map("[a-z]", nested(), 0..3),
    ) {
        let value = (values, map);
        if try_write(&value).is_ok() {
            prop_assert_eq!(read::<(Vec<Nested>, BTreeMap<String, Nested>)>(&write(&value)), value);
        }
    }

    #[test]
    fn whatever_has_no_null_in_some_is_accepted(
        value in prop::collection::vec(prop::option::of(any::<u8>()), 0..4),
    ) {
        prop_assert_eq!(read::<Vec<Option<u8>>>(&write(&value)), value);
    }
}
