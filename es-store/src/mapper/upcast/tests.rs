//! The abilities of upcasters, and the states that they receive.

use serde::Deserialize;

use super::*;

/// Reads `stored` in version `current`, with `upcast` for each step. Returns the fields that are
/// decoded.
fn read(
    stored: &str,
    current: u64,
    upcast: impl Fn(u64, &mut OldState) -> Result<(), FieldError>,
) -> Result<String, String> {
    let fields = JsonReader::new(stored.as_bytes()).expect("an object");
    let json = |fields: JsonReader<'_>| {
        let fields = fields
            .iter()
            .map(|(name, value)| format!("{name:?}:{}", value.get()));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    };
    let steps = Steps {
        format: Format::CURRENT,
        reserved: Format::CURRENT.reserved_event_keys(),
        current,
    };
    let read = steps.read(fields, upcast, json);
    read.map_err(|problem| problem.to_string())
}

/// Upcasts `stored` from version 1 to 2.
fn once(
    stored: &str,
    upcast: impl Fn(&mut OldState) -> Result<(), FieldError>,
) -> Result<String, String> {
    read(stored, 2, |_, state| upcast(state))
}

#[test]
fn each_step_from_the_stored_version_on_runs_once_and_in_order() {
    let note = |from: u64, state: &mut OldState| {
        let mut steps: Vec<u64> = state.get("steps")?.unwrap_or_default();
        steps.push(from);
        state.insert("steps", &steps)
    };
    for (stored, steps) in [
        (r#"{"a":1}"#, r#"{"a":1,"steps":[1,2,3]}"#),
        (r#"{"a":1,"class_version":1}"#, r#"{"a":1,"steps":[1,2,3]}"#),
        (r#"{"a":1,"class_version":2}"#, r#"{"a":1,"steps":[2,3]}"#),
        (r#"{"class_version":3,"a":1}"#, r#"{"a":1,"steps":[3]}"#),
        (
            r#"{"a":1,"class_version":4}"#,
            r#"{"a":1,"class_version":4}"#,
        ),
    ] {
        assert_eq!(read(stored, 4, note), Ok(steps.to_owned()), "{stored}");
    }
    let newer = read(r#"{"class_version":5}"#, 4, note).expect_err("it is newer");
    assert_eq!(newer, "it has class_version 5, and this program knows 4");
}

#[test]
fn what_is_not_touched_stays_as_it_is_stored() {
    let values = r#""big":123456789012345678901234567890123456789012345678,"float":1.10e0,"id":{"_type_":"uuid_hex","_data_":"00"},"text":"\u00fc","own":{"_type_":"mine","_data_":[1]}"#;
    let stored = format!(r#"{{"timestamp":5,"originator_topic":"Dog",{values},"old":1}}"#);
    let upcast = once(&stored, |state| {
        assert_eq!(
            state.names().collect::<Vec<_>>(),
            ["big", "float", "id", "text", "own", "old"]
        );
        state.rename("old", "new").map(drop)
    });
    assert_eq!(upcast, Ok(format!(r#"{{{values},"new":1}}"#)));
}

#[test]
fn fields_are_put_taken_away_and_renamed_in_their_places() {
    let stored = r#"{"a":1,"b":2,"c":3}"#;
    let replaced = once(stored, |state| state.insert("b", "two"));
    assert_eq!(replaced.as_deref(), Ok(r#"{"a":1,"b":"two","c":3}"#));
    let added = once(stored, |state| state.insert("d", &Some(4)));
    assert_eq!(added.as_deref(), Ok(r#"{"a":1,"b":2,"c":3,"d":4}"#));
    let removed = once(stored, |state| {
        assert!(state.remove("b") && !state.remove("b"));
        Ok(())
    });
    assert_eq!(removed.as_deref(), Ok(r#"{"a":1,"c":3}"#));
    for (from, to, is_there, fields) in [
        ("a", "d", true, r#"{"d":1,"b":2,"c":3}"#),
        ("a", "c", true, r#"{"c":1,"b":2}"#),
        ("c", "a", true, r#"{"b":2,"a":3}"#),
        ("b", "b", true, stored),
        ("d", "a", false, stored),
    ] {
        let renamed = once(stored, |state| {
            assert_eq!(state.rename(from, to)?, is_there);
            Ok(())
        });
        assert_eq!(renamed.as_deref(), Ok(fields), "{from} to {to}");
    }
}

#[test]
fn a_field_is_read_as_a_parameter_would_be() {
    let stored = r#"{"id":{"_type_":"uuid_hex","_data_":"00000000000000000000000000000007"},"none":null,"a":1,"a":2}"#;
    let upcast = once(stored, |state| {
        assert_eq!(state.get("id")?, Some(uuid::Uuid::from_u128(7)));
        assert_eq!(state.get::<Option<u8>>("none")?, Some(None));
        assert_eq!(state.get::<u8>("missing")?, None);
        // If a key occurs twice, the last one counts.
        assert_eq!(state.get("a")?, Some(2));
        state.insert("id", &uuid::Uuid::from_u128(8))
    });
    let expected = stored.replace("7\"}", "8\"}").replace(r#""a":1,"#, "");
    assert_eq!(upcast, Ok(expected));
}

#[test]
fn what_goes_wrong_names_step_and_field_and_shows_no_value() {
    #[derive(Debug, Deserialize)]
    struct Other;
    let stored = r#"{"secret":"hush"}"#;
    let problem = |upcast: fn(&mut OldState) -> Result<(), FieldError>| {
        let problem = once(stored, upcast).expect_err("it fails");
        assert!(!problem.contains("hush"), "{problem}");
        problem
    };
    let failed = "the upcast from version 1 to 2 failed: field";
    let other = problem(|state| state.get::<Other>("secret").map(drop));
    assert!(
        other.starts_with(&format!("{failed} `secret`: ")),
        "{other}"
    );
    let float = problem(|state| state.insert("level", &f64::NAN));
    assert_eq!(
        float,
        format!("{failed} `level`: a float that is not finite cannot be stored")
    );
    for name in ["timestamp", "originator_topic", "class_version"] {
        let reserved = once(stored, |state| state.insert(name, &1));
        let expected = format!("{failed} `{name}`: the name is reserved");
        assert_eq!(reserved, Err(expected.clone()));
        let renamed = once(stored, |state| state.rename("secret", name).map(drop));
        assert_eq!(renamed, Err(expected));
    }
    let panicked = problem(|_| panic!("no such dog"));
    assert_eq!(
        panicked,
        "the upcast from version 1 to 2 panicked: no such dog"
    );
}
