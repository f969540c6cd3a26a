//! A value that is written to a table is read back unchanged, on every database by the same
//! statements.

use es_system::prelude::*;
use es_system::store::{FromValue, ToValue, Value};
use tests::domain::{Dog, DogTrickAdded};

use super::sql_places;

#[projection]
pub struct Journal;

#[projection]
impl Journal {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let is_postgres = tx.postgres().is_some();
        let (bytes, uuid, time) = if is_postgres {
            ("BYTEA", "UUID", "TIMESTAMPTZ")
        } else {
            ("BLOB", "TEXT", "TEXT")
        };
        let sql = format!(
            "CREATE TABLE {} (id BIGINT, flag BOOLEAN, small INTEGER, number DOUBLE PRECISION, text TEXT, bytes {bytes}, \
             uuid {uuid}, time {time}, other_bytes BYTEA, other_uuid UUID, other_time TIMESTAMPTZ)",
            tx.table("everything")
        );
        tx.execute(&sql, &[])?;
        let params: [&dyn ToValue; 8] = [
            &i64::MAX,
            &true,
            &-7_i32,
            &1.5,
            &"Søren \"'; --",
            &[0_u8, 255].as_slice(),
            &ID,
            &time_then(),
        ];
        let all = tx.table("everything");
        // Parameters are in any order, and may occur more than once.
        let sql = format!(
            "INSERT INTO {all} (time, uuid, bytes, text, number, small, flag, id, other_time, other_uuid, other_bytes) \
             VALUES ($8, $7, $6, $5, $4, $3, $2, $1, $8, $7, $6)"
        );
        assert_eq!(tx.execute(&sql, &params)?, 1);
        let sql = format!("INSERT INTO {all} (id, text, uuid) VALUES ($1, $2, $3)");
        tx.execute(&sql, &[&None::<i64>, &Some("there"), &None::<Uuid>])?;
        Ok(())
    }

    #[policy(Dog::TrickAdded)]
    fn nothing(
        &self,
        _event: &DomainEvent<DogTrickAdded>,
        _tx: &mut Transaction<'_>,
    ) -> Result<()> {
        Ok(())
    }
}

const ID: Uuid = Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def0);

fn time_then() -> Timestamp {
    "2024-02-29T23:59:59.000001+00:00".parse().expect("a time")
}

fn same<T: FromValue + PartialEq + std::fmt::Debug>(
    row: &es_system::store::Row,
    column: &str,
    expected: T,
) -> Result<()> {
    assert_eq!(row.get::<T>(column)?, expected);
    Ok(())
}

#[test]
fn every_type_of_value_comes_back_as_it_was() -> Result<()> {
    for place in sql_places() {
        let journal = Journal::new(place.env.clone())?;
        journal.read(|tx| {
            let all = tx.table("everything");
            let sql = format!(
                "SELECT * FROM {all} WHERE id = $1 AND uuid = $2 AND (id = $1 OR time = $3)"
            );
            let row = tx
                .query_first(&sql, &[&i64::MAX, &ID, &time_then()])?
                .expect("it is found");
            same(&row, "id", i64::MAX)?;
            same(&row, "id", i64::MAX as u64)?;
            same(&row, "flag", true)?;
            same(&row, "small", -7_i32)?;
            same(&row, "number", 1.5)?;
            same(&row, "text", "Søren \"'; --".to_owned())?;
            same(&row, "bytes", vec![0_u8, 255])?;
            same(&row, "uuid", ID)?;
            same(&row, "time", time_then())?;
            same(&row, "time", Some(time_then()))?;
            // SQLite accepts PostgreSQL's type names, so one statement creates a table on both.
            same(&row, "other_bytes", vec![0_u8, 255])?;
            same(&row, "other_uuid", ID)?;
            same(&row, "other_time", time_then())?;
            let sql = format!("SELECT id, text FROM {all} WHERE text = $1");
            let nulls = tx.query_first(&sql, &[&"there"])?.expect("it is found");
            assert_eq!(nulls.get::<Option<i64>>(0)?, None);
            assert_eq!(nulls.get::<Option<String>>(1)?.as_deref(), Some("there"));
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn what_is_read_as_another_type_is_an_error_that_names_the_column_and_shows_no_value() -> Result<()>
{
    for place in sql_places() {
        let journal = Journal::new(place.env.clone())?;
        let said = |read: fn(&es_system::store::Row) -> Result<(), es_system::SqlError>| {
            let read = journal.read(|tx| {
                let sql = format!(
                    "SELECT id, text, small FROM {} WHERE text <> $1",
                    tx.table("everything")
                );
                let row = tx.query_first(&sql, &[&"there"])?.expect("it is found");
                Ok(read(&row)?)
            });
            read.expect_err("it is not that").to_string()
        };
        let no_text = said(|row| row.get::<String>("id").map(|_| ()));
        assert!(no_text.starts_with("Journal: "), "{no_text}");
        assert!(
            no_text.contains("column `id` is an integer, and was read as a text"),
            "{no_text}"
        );
        let too_small = said(|row| row.get::<i32>(0).map(|_| ()));
        assert!(
            too_small.contains("an integer that is a `i32`"),
            "{too_small}"
        );
        let negative = said(|row| row.get::<u64>("small").map(|_| ()));
        assert!(negative.contains("`u64`"), "{negative}");
        let nowhere = said(|row| row.get::<i64>("nowhere").map(|_| ()));
        assert!(
            nowhere.contains("no column `nowhere`, only `id`, `text`, `small`"),
            "{nowhere}"
        );
        let beyond = said(|row| row.get::<i64>(3).map(|_| ()));
        assert!(beyond.contains("no column `3`"), "{beyond}");
    }
    Ok(())
}

#[test]
fn a_call_that_cannot_work_is_an_error_and_not_a_panic() -> Result<()> {
    for place in sql_places() {
        let journal = Journal::new(place.env.clone())?;
        let said = |sql: &str, params: &[&dyn ToValue]| {
            let read = journal.read(|tx| {
                let sql = sql.replace("{}", &tx.table("everything"));
                Ok(tx.query(&sql, params).map(|_| ())?)
            });
            read.expect_err("it cannot work").to_string()
        };
        let few = said("SELECT id FROM {} WHERE id = $1 AND text = $2", &[&1_i64]);
        assert!(few.contains("has 2 parameters, and got 1"), "{few}");
        let large = said("SELECT id FROM {} WHERE id = $1", &[&u64::MAX]);
        assert!(large.contains("a number above"), "{large}");
        assert!(said("SELEKT", &[]).contains("a statement failed"));
        assert!(said("SELECT 1; SELECT 2", &[]).contains("a statement failed"));
        let written = said("DELETE FROM {}", &[]);
        assert!(
            written.contains("read-only") || written.contains("readonly"),
            "{written}"
        );
        // The connection still works.
        let there = journal.read(|tx| Ok(tx.query("SELECT 1", &[])?.len()))?;
        assert_eq!(there, 1);
    }
    assert_eq!(Value::Null, Value::Null);
    Ok(())
}

/// As the page of `#[projection]` describes, money is a text for the program and a number for
/// PostgreSQL.
#[test]
fn money_goes_into_a_table_and_comes_out_of_it_as_a_text_and_is_exact() -> Result<()> {
    const MONEY: &str = "12345678901234567890.10";
    for place in sql_places() {
        let journal = Journal::new(place.env.clone())?;
        let (given, kept) = match place.name {
            "postgres" => ("CAST(CAST($1 AS TEXT) AS NUMERIC)", "CAST(price AS TEXT)"),
            _ => ("$1", "price"),
        };
        let sql = format!("SELECT {kept} AS price FROM (SELECT {given} AS price) AS prices");
        let row = journal.read(|tx| Ok(tx.query_first(&sql, &[&MONEY])?))?;
        same(&row.expect("a row"), "price", MONEY.to_owned())?;
    }
    Ok(())
}
