//! Readers and rebuilds that wait for each other, or would wait for themselves.

use std::thread;

use es_system::prelude::*;
use es_system::testing::postgres::Database;
use tests::domain::DogSchool;
use tests::journal::Journal;
use tests::postgres;

use super::{journal_system, sql_places, taught, until};

#[test]
fn a_read_inside_a_read_is_refused_on_every_store() -> Result<()> {
    for place in sql_places() {
        let env = place
            .env
            .with("POSTGRES_POOL_SIZE", "1")
            .with("POSTGRES_MAX_OVERFLOW", "0");
        let journal = Journal::new(env)?;
        for _ in 0..2 {
            journal.read(|_| {
                let nested = [
                    journal.positions().map(drop),
                    journal.position_in("DogSchool").map(drop),
                ];
                for refused in nested {
                    let error = refused.expect_err("it is nested").to_string();
                    let is_named = error.starts_with("Journal: ");
                    let has_repair = error.contains("use the transaction that is open");
                    assert!(is_named && has_repair, "{}: {error}", place.name);
                }
                Ok(())
            })?;
            assert!(journal.positions()?.is_empty(), "{}", place.name);
        }
    }
    Ok(())
}

/// Returns the number of sessions that wait for the table of the journal.
fn waiting(database: &Database) -> i64 {
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation' \
                   AND relation = to_regclass('journal')::oid";
    let row = database.connect().query_one(waiting, &[]);
    row.expect("the locks are listed").get(0)
}

#[test]
fn readers_get_through_while_the_switch_of_a_rebuild_waits_for_one_of_them() -> Result<()> {
    let Some(place) = postgres() else {
        return Ok(());
    };
    let database = place.database.as_ref().expect("a database");
    let mut runner = SingleThreadedRunner::new(&journal_system()?, place.env.clone())?;
    taught(&*runner.get::<DogSchool>()?, &["sit", "sit"])?;
    runner.start()?;
    let mut long = database.connect();
    long.batch_execute("BEGIN; SELECT count(*) FROM journal")
        .expect("a transaction that reads");
    let journal = runner.get::<Journal>()?;
    thread::scope(|scope| -> Result<()> {
        let rebuilding = scope.spawn(|| runner.rebuild::<Journal>(|_| {}));
        let mut short = database.connect();
        short
            .batch_execute("SET lock_timeout = '10s'")
            .expect("a limit");
        for _ in 0..3 {
            until("the rebuild waits", || waiting(database) > 0);
            let read = short.query_one("SELECT count(*) FROM journal", &[]);
            let count: i64 = read.expect("it gets through").get(0);
            assert_eq!((count, journal.positions()?.len()), (2, 2));
        }
        assert!(!rebuilding.is_finished(), "the long transaction reads on");
        long.batch_execute("COMMIT").expect("it ends");
        rebuilding.join().expect("no panic")
    })?;
    taught(&*runner.get::<DogSchool>()?, &["sit"])?;
    assert_eq!(journal.positions()?, [2, 3, 4]);
    Ok(())
}

/// Ends the session that holds the lock of the journal's rebuild.
fn end_the_lock(database: &Database) {
    let end = "SELECT pg_terminate_backend(pid, 60000) FROM pg_locks WHERE locktype = 'advisory' \
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let ended = database.connect().query(end, &[]).expect("the locks");
    assert_eq!(ended.len(), 1);
}

#[test]
fn a_rebuild_takes_its_lock_again_if_it_was_lost_and_is_refused_if_another_has_it() -> Result<()> {
    let Some(place) = postgres() else {
        return Ok(());
    };
    let database = place.database.as_ref().expect("a database");
    let runner = SingleThreadedRunner::new(&journal_system()?, place.env.clone())?;
    taught(&*runner.get::<DogSchool>()?, &["sit", "sit"])?;
    let mut is_lost = false;
    runner.rebuild::<Journal>(|_| {
        if !std::mem::replace(&mut is_lost, true) {
            end_the_lock(database);
        }
    })?;
    let journal = runner.get::<Journal>()?;
    assert_eq!(journal.positions()?, [2, 3]);

    let mut other = database.connect();
    let mut is_lost = false;
    let refused = runner.rebuild::<Journal>(|_| {
        if !std::mem::replace(&mut is_lost, true) {
            end_the_lock(database);
            let lock = "SELECT pg_advisory_lock(hashtextextended($1, 0))";
            let of = "rebuild of \"public\".\"journal_tracking\"";
            other.query(lock, &[&of]).expect("the lock is free");
        }
    });
    let refused = refused.expect_err("another has the lock").to_string();
    assert!(refused.contains("being rebuilt already"), "{refused}");
    drop(other);
    until("the lock is free", || {
        runner.rebuild::<Journal>(|_| {}).is_ok()
    });
    assert_eq!(journal.positions()?, [2, 3]);
    Ok(())
}
