//! The remedies of errors that real files bring about.

use std::fs;

use es_core::error_chain;
use es_store::{Remedy, Role, StoreError};

use super::{Folder, env, open, raw, recording, refused};

/// A change of the file after which a save fails, what undoes it, a part of the message, and the
/// remedy.
const SAVES: [(&str, &str, &str, Remedy); 8] = [
    (
        "ALTER TABLE stored_events RENAME TO elsewhere",
        "ALTER TABLE elsewhere RENAME TO stored_events",
        "no such table",
        Remedy::OtherConfiguration,
    ),
    (
        "ALTER TABLE stored_events RENAME topic TO kind",
        "ALTER TABLE stored_events RENAME kind TO topic",
        "no column named topic",
        Remedy::OtherConfiguration,
    ),
    (
        "CREATE TRIGGER no BEFORE INSERT ON stored_events BEGIN SELECT RAISE(ABORT, 'not this'); END",
        "DROP TRIGGER no",
        "not this",
        Remedy::OtherContent,
    ),
    (
        "CREATE TRIGGER no BEFORE INSERT ON stored_events BEGIN SELECT RAISE(ROLLBACK, 'not this'); END",
        "DROP TRIGGER no",
        "not this",
        Remedy::OtherContent,
    ),
    (
        "CREATE TABLE t (n INTEGER CHECK (n < 0), m INTEGER NOT NULL); \
         CREATE TRIGGER no BEFORE INSERT ON stored_events BEGIN INSERT INTO t VALUES (1, 1); END",
        "DROP TRIGGER no; DROP TABLE t",
        "CHECK constraint",
        Remedy::OtherContent,
    ),
    (
        "CREATE TABLE t (n INTEGER NOT NULL); \
         CREATE TRIGGER no BEFORE INSERT ON stored_events BEGIN INSERT INTO t VALUES (NULL); END",
        "DROP TRIGGER no; DROP TABLE t",
        "NOT NULL constraint",
        Remedy::OtherContent,
    ),
    (
        "CREATE TABLE t (n INTEGER) STRICT; \
         CREATE TRIGGER no BEFORE INSERT ON stored_events BEGIN INSERT INTO t VALUES ('one'); END",
        "DROP TRIGGER no; DROP TABLE t",
        "cannot store TEXT value",
        Remedy::OtherContent,
    ),
    (
        "CREATE TRIGGER no BEFORE INSERT ON stored_events BEGIN SELECT zeroblob(2000000000); END",
        "DROP TRIGGER no",
        "too big",
        Remedy::OtherContent,
    ),
];

fn assert_is(error: &StoreError, part: &str, remedy: Remedy) {
    let said = error_chain(error).to_string();
    assert!(said.contains(part), "{part}: {said}");
    assert_eq!(error.remedy(), remedy, "{said}");
}

#[test]
fn a_save_that_a_file_refuses_has_what_mends_it_and_succeeds_once_that_is_done() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let dogs = open("Dogs", Role::Leader, &env(&path));
    for ((breaks, mends, part, remedy), version) in SAVES.into_iter().zip(1..) {
        raw(&path)
            .execute_batch(breaks)
            .expect("the statements are right");
        let error = dogs.record(&recording(1, [version])).expect_err(part);
        assert_is(&error, part, remedy);
        raw(&path)
            .execute_batch(mends)
            .expect("the statements are right");
        dogs.record(&recording(1, [version]))
            .unwrap_or_else(|error| panic!("{part}: {error:?}"));
    }
}

#[test]
fn a_file_that_cannot_be_opened_has_what_mends_it() {
    let folder = Folder::new();
    let garbage = folder.path("garbage.sqlite");
    fs::write(&garbage, "no database ".repeat(1_000)).expect("a file");
    let missing = folder.path("nowhere").join("dogs.sqlite");
    fs::create_dir(folder.path("folder")).expect("a folder");
    for (path, part) in [
        (garbage, "not a database"),
        (missing, "does not exist"),
        (folder.path("folder"), "unable to open"),
    ] {
        let error = refused("Dogs", Role::Leader, &env(&path));
        assert_is(&error, part, Remedy::OtherConfiguration);
    }
}

#[test]
fn a_lock_and_a_read_only_file_may_pass() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let dogs = open(
        "Dogs",
        Role::Leader,
        &env(&path).with("SQLITE_LOCK_TIMEOUT", "0"),
    );
    let other = raw(&path);
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let error = dogs.record(&recording(1, [1])).expect_err("locked");
    assert_is(&error, "locked", Remedy::RetryLater);
    other.execute_batch("ROLLBACK").expect("no lock");
    let name = format!("file:{}?mode=ro", path.display());
    let reader = open("Dogs", Role::Leader, &env(name));
    let error = reader.record(&recording(1, [1])).expect_err("read-only");
    assert_is(&error, "read-only", Remedy::RetryLater);
}

#[test]
fn for_a_damaged_file_there_is_no_remedy() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let dogs = open("Dogs", Role::Leader, &env(&path));
    for version in 1..100 {
        dogs.record(&recording(1, [version])).expect("recorded");
    }
    drop(dogs);
    raw(&path)
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .expect("one file");
    let mut bytes = fs::read(&path).expect("the file");
    let size = 4_096;
    // The pages behind the first are those of the tables.
    bytes[size..]
        .chunks_mut(size)
        .for_each(|page| page[..12].fill(0xff));
    fs::write(&path, bytes).expect("the file");
    let error = match es_store::open("Dogs", Role::Leader, &env(&path)) {
        Ok(dogs) => dogs.record(&recording(1, [100])).expect_err("damaged"),
        Err(error) => error,
    };
    assert_is(&error, "malformed", Remedy::Nothing);
}
