//! Statements of any text: none ends the transaction that it is in.

use es_system::prelude::*;
use es_system::store::{Access, End, ProcessRecorder};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tests::journal::Journal;

use super::sql_places;

/// The parts of which statements are made: words that end and begin transactions, and what may stand around them.
const PARTS: [&str; 30] = [
    "COMMIT",
    "commit",
    "END",
    "ROLLBACK",
    "BEGIN",
    "ABORT",
    "START TRANSACTION",
    "PREPARE TRANSACTION 'a'",
    "SAVEPOINT a",
    "RELEASE a",
    "TO a",
    "WORK",
    "AND CHAIN",
    "SELECT 1",
    "DO",
    "/*",
    "*/",
    "--",
    "\n",
    "\r",
    "\u{c}",
    "\u{b}",
    "\u{a0}",
    "\u{feff}",
    ";",
    " ",
    "'",
    "\"",
    "$$",
    "\0",
];

/// Writes a row, does the statement and writes another row, in one transaction; says which of the two rows are there afterwards.
/// The rows of the journal are removed first.
fn rows_around(recorder: &dyn ProcessRecorder, statement: &str, end: End) -> Vec<u64> {
    let sql = |tx: &Transaction<'_>, sql: &str| sql.replace("JOURNAL", &tx.table("journal"));
    let run = |work: &mut dyn FnMut(&mut Transaction<'_>) -> End| {
        recorder.transact(Access::Write, &mut |tx| Ok(work(tx)))
    };
    let cleared = run(&mut |tx| {
        let delete = sql(tx, "DELETE FROM JOURNAL");
        tx.execute(&delete, &[]).expect("the rows are removed");
        End::Commit
    });
    cleared.expect("the store works");
    // What fails may fail the whole transaction.
    let _may_fail = run(&mut |tx| {
        let insert = sql(tx, "INSERT INTO JOURNAL (position, trick) VALUES ($1, '')");
        tx.execute(&insert, &[&1]).expect("the first row");
        let _may_fail = tx.execute(statement, &[]);
        let _may_fail = tx.execute(&insert, &[&2]);
        end
    });
    let mut rows = Vec::new();
    let read = run(&mut |tx| {
        let select = sql(tx, "SELECT position FROM JOURNAL ORDER BY position");
        let found = tx.query(&select, &[]).expect("the rows are read");
        rows = found
            .iter()
            .map(|row| row.get(0).expect("a number"))
            .collect();
        End::Rollback
    });
    read.expect("the store works");
    rows
}

#[test]
fn a_statement_of_any_text_leaves_all_of_its_transaction_or_nothing() -> Result<()> {
    for place in sql_places() {
        let journal = Journal::new(place.env.clone())?;
        let recorder = journal.recorder()?;
        let config = ProptestConfig {
            cases: 50 * u32::try_from(tests::torture()).unwrap_or(u32::MAX / 50),
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let parts = prop::collection::vec(prop::sample::select(&PARTS[..]), 0..8);
        let outcome = TestRunner::new(config).run(&parts, |parts| {
            for between in ["", " "] {
                let statement = parts.join(between);
                let rows = rows_around(&*recorder, &statement, End::Rollback);
                prop_assert!(rows.is_empty(), "{statement:?} has committed {rows:?}");
                let rows = rows_around(&*recorder, &statement, End::Commit);
                prop_assert!(rows.is_empty() || rows == [1, 2], "{statement:?}: {rows:?}");
            }
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{}: {error}", place.name));
    }
    Ok(())
}

#[test]
fn a_word_that_ends_a_transaction_is_found_behind_anything_that_a_store_passes_over() -> Result<()>
{
    for place in sql_places() {
        let journal = Journal::new(place.env.clone())?;
        let recorder = journal.recorder()?;
        for statement in [
            "/* /* */ */ COMMIT",
            "/* /* */ COMMIT",
            "-- a\rCOMMIT",
            "-- a\nCOMMIT",
            "\u{feff}COMMIT",
            "\u{b}\u{c}COMMIT",
            ";;/**/;COMMIT",
            "END",
            "ROLLBACK",
            "ABORT",
        ] {
            for end in [End::Rollback, End::Commit] {
                let rows = rows_around(&*recorder, statement, end);
                let is_whole = rows.is_empty() || end == End::Commit && rows == [1, 2];
                assert!(is_whole, "{}: {statement:?}: {rows:?}", place.name);
            }
        }
    }
    Ok(())
}
