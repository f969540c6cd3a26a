//! A value that a statement accepts is kept: it is read as it was written, on every database. A
//! value that a column would change is refused.

use es_system::prelude::*;
use es_system::store::{Access, End, FromValue, ProcessRecorder, Row, ToValue, Value};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tests::domain::DogSchool;

use super::sql_places;

/// The columns, and the type of each. SQLite takes PostgreSQL's names.
const COLUMNS: [(&str, &str); 10] = [
    ("flag", "BOOLEAN"),
    ("big", "BIGINT"),
    ("medium", "INTEGER"),
    ("small", "SMALLINT"),
    ("number", "DOUBLE PRECISION"),
    ("single", "REAL"),
    ("words", "TEXT"),
    ("bytes", "BYTEA"),
    ("ident", "UUID"),
    ("at", "TIMESTAMPTZ"),
];

/// A value as a parameter.
struct Given<'a>(&'a Value);

impl ToValue for Given<'_> {
    fn to_value(&self) -> Option<Value> {
        Some(self.0.clone())
    }
}

/// Writes a value to a column of a new table and reads it again. Returns the error, if there is
/// one. Nothing is committed.
fn kept(
    recorder: &dyn ProcessRecorder,
    column: &str,
    value: &Value,
    look: &mut dyn FnMut(&Row),
) -> Result<(), String> {
    let mut outcome = Ok(());
    let ended = recorder.transact(Access::Write, &mut |tx| {
        let columns = COLUMNS.map(|(name, ty)| format!("{name} {ty}")).join(", ");
        let create = format!("CREATE TABLE kept ({columns})");
        tx.execute(&create, &[]).expect("a table");
        let insert = format!("INSERT INTO kept ({column}) VALUES ($1)");
        outcome = tx
            .execute(&insert, &[&Given(value)])
            .map(drop)
            .map_err(|e| e.to_string());
        if outcome.is_ok() {
            let select = format!("SELECT {column} FROM kept");
            look(
                &tx.query_first(&select, &[])
                    .expect("a query")
                    .expect("a row"),
            );
        }
        Ok(End::Rollback)
    });
    ended.expect("the store works");
    outcome
}

fn is_same<T: FromValue + PartialEq>(row: &Row, expected: &T) -> bool {
    row.get::<T>(0).is_ok_and(|found| found == *expected)
}

/// Returns true if the row has this value. Two values that are no numbers are the same.
fn has(row: &Row, value: &Value) -> bool {
    match value {
        Value::Null => is_same(row, &None::<String>),
        Value::Boolean(value) => is_same(row, value),
        Value::Integer(value) => is_same(row, value),
        Value::Real(value) if value.is_nan() => row.get::<f64>(0).is_ok_and(f64::is_nan),
        Value::Real(value) => is_same(row, value),
        Value::Text(value) => is_same(row, value),
        Value::Bytes(value) => is_same(row, value),
        Value::Uuid(value) => is_same(row, value),
        Value::Timestamp(value) => is_same(row, value),
        other => panic!("{other:?} is new"),
    }
}

/// A value with the columns for its type.
fn value() -> impl Strategy<Value = (Value, &'static [&'static str])> {
    const EXACT: i64 = 1 << 53;
    let edges = [
        i16::MAX.into(),
        i32::MIN.into(),
        i32::MAX.into(),
        EXACT,
        EXACT + 1,
        i64::MAX,
    ];
    let integer = prop_oneof![
        any::<i64>(),
        any::<i16>().prop_map(i64::from),
        prop::sample::select(edges.to_vec())
    ];
    let special = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN_POSITIVE,
        -0.0,
    ];
    let real = prop_oneof![
        prop::num::f64::ANY,
        any::<f32>().prop_map(f64::from),
        any::<i64>().prop_map(|whole| whole as f64),
        prop::sample::select(special.to_vec()),
    ];
    let text = prop_oneof![".{0,8}", "[0-9]{1,20}", "a?\u{0}b?", "[0-9]e[0-9] ?"];
    let micros = Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros();
    let time = micros.prop_filter_map("in range", Timestamp::from_micros);
    prop_oneof![
        Just((
            Value::Null,
            &["flag", "big", "number", "words", "bytes", "ident", "at"][..]
        )),
        any::<bool>().prop_map(|it| (Value::Boolean(it), &["flag"][..])),
        integer.prop_map(|it| (Value::Integer(it), &["big", "medium", "small"][..])),
        real.prop_map(|it| (Value::Real(it), &["number", "single"][..])),
        text.prop_map(|it| (Value::Text(it), &["words"][..])),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|it| (Value::Bytes(it), &["bytes"][..])),
        any::<u128>().prop_map(|it| (Value::Uuid(Uuid::from_u128(it)), &["ident", "words"][..])),
        time.prop_map(|it| (Value::Timestamp(it), &["at", "words"][..])),
    ]
}

#[test]
fn whatever_is_accepted_comes_back_equal() -> Result<()> {
    for place in sql_places() {
        let school = DogSchool::new(place.env.clone())?;
        let recorder = school.recorder()?;
        let mut runner = TestRunner::new(Config::with_cases(200));
        let tested = runner.run(&value(), |(value, columns)| {
            for column in columns {
                let mut found = None;
                let outcome = kept(&*recorder, column, &value, &mut |row| {
                    found = Some((has(row, &value), format!("{row:?}")));
                });
                if let (Ok(()), Some((false, row))) = (outcome, found) {
                    let name = place.name;
                    return Err(TestCaseError::fail(format!("{name}, {column}: {row}")));
                }
            }
            Ok(())
        });
        tested.unwrap_or_else(|error| panic!("{error}"));
    }
    Ok(())
}

/// Values that each database must keep, so that the property does not hold only because all are
/// refused.
#[test]
fn usual_values_are_accepted_by_every_database() -> Result<()> {
    for place in sql_places() {
        let school = DogSchool::new(place.env.clone())?;
        let recorder = school.recorder()?;
        for (column, value) in [
            ("number", Value::Real(0.1)),
            ("number", Value::Real(f64::INFINITY)),
            ("single", Value::Real(0.5)),
            ("single", Value::Real(f64::NEG_INFINITY)),
            ("number", Value::Integer(1 << 53)),
            ("small", Value::Integer(-7)),
            ("words", Value::Text("\u{1f600} \u{1} e".to_owned())),
            ("at", Value::Timestamp(Timestamp::MAX)),
            ("at", Value::Timestamp(Timestamp::MIN)),
        ] {
            let mut is_kept = false;
            let outcome = kept(&*recorder, column, &value, &mut |row| {
                is_kept = has(row, &value) || is_same(row, &9_007_199_254_740_992.0);
            });
            assert_eq!(outcome, Ok(()), "{} {column}", place.name);
            assert!(is_kept, "{} {column} {value:?}", place.name);
        }
    }
    Ok(())
}

#[test]
fn what_a_database_would_change_is_refused_by_name() -> Result<()> {
    for place in sql_places() {
        let school = DogSchool::new(place.env.clone())?;
        let recorder = school.recorder()?;
        let outcome = |column, value: Value| kept(&*recorder, column, &value, &mut |_| {});
        let refused = |column, value, part: &str| {
            let error = outcome(column, value).expect_err("it is refused");
            assert!(error.contains(part), "{part} is not in: {error}");
        };
        if place.name != "postgres" {
            refused(
                "number",
                Value::Real(f64::NAN),
                "`$1` is a number that is NaN",
            );
            continue;
        }
        refused(
            "number",
            Value::Integer((1 << 53) + 1),
            "too large for float8",
        );
        refused("single", Value::Real(0.1), "cannot keep exactly");
        refused("single", Value::Real(f64::MAX), "cannot keep exactly");
        refused("small", Value::Integer(70_000), "too large for int2");
        let text = || Value::Text("a\0b".to_owned());
        refused("words", text(), "a text with a zero byte");
        outcome("number", Value::Real(f64::NAN)).expect("PostgreSQL has it");
    }
    Ok(())
}

/// A number that SQLite keeps as an integer is read as a float only if it is one.
#[test]
fn a_number_is_read_as_a_float_only_if_that_is_exact() {
    for (value, expected) in [
        (1 << 53, Some(9_007_199_254_740_992.0)),
        ((1 << 53) + 1, None),
        (i64::MIN, Some(-9_223_372_036_854_775_808.0)),
        (i64::MAX, None),
    ] {
        assert_eq!(f64::from_value(&Value::Integer(value)), expected, "{value}");
    }
}
