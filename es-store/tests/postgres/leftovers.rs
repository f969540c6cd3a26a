//! A user's transaction leaves nothing on its connection, which the next one gets.

use es_store::{Access, End, ProcessRecorder, Role, Transaction};

use super::{database, open};

/// A statement, and a query that counts what it has left.
const LEFTOVERS: [(&str, &str); 8] = [
    (
        "CREATE TEMP TABLE scratch (number int)",
        "SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()",
    ),
    (
        "CREATE FUNCTION pg_temp.one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT count(*) FROM pg_proc WHERE pronamespace = pg_my_temp_schema()",
    ),
    (
        "SELECT pg_advisory_lock(42) IS NULL",
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
    ),
    (
        "DO $$ BEGIN EXECUTE 'PREPARE mine AS SELECT 1'; END $$",
        "SELECT count(*) FROM pg_prepared_statements WHERE from_sql",
    ),
    (
        "LISTEN somewhere",
        "SELECT count(*) FROM pg_listening_channels()",
    ),
    (
        "DECLARE held CURSOR WITH HOLD FOR SELECT 1",
        "SELECT count(*) FROM pg_cursors WHERE name = 'held'",
    ),
    (
        "SET ROLE pg_monitor",
        "SELECT count(*) WHERE current_user <> session_user",
    ),
    (
        "SET SESSION AUTHORIZATION pg_monitor",
        "SELECT count(*) WHERE session_user = 'pg_monitor'",
    ),
];

/// Runs `work` in a transaction.
fn transact<T>(
    dogs: &dyn ProcessRecorder,
    access: Access,
    end: fn() -> End,
    mut work: impl FnMut(&mut Transaction<'_>) -> T,
) -> T {
    let mut done = None;
    let ended = dogs.transact(access, &mut |tx| {
        done = Some(work(tx));
        Ok(end())
    });
    ended.expect("it ends");
    done.expect("it ran")
}

/// Returns the process of the connection, and the result of a query that counts.
fn look(dogs: &dyn ProcessRecorder, count: &str) -> (i32, i64) {
    transact(
        dogs,
        Access::Read,
        || End::Rollback,
        |tx| {
            let row = tx.query_first("SELECT pg_backend_pid() AS pid", &[]);
            let pid = row.expect("a query").expect("a row").get("pid");
            let row = tx.query_first(count, &[]).expect("a query").expect("a row");
            (pid.expect("a number"), row.get(0).expect("a number"))
        },
    )
}

#[test]
fn a_transaction_leaves_nothing_on_its_connection_however_it_ends() {
    let Some(database) = database() else { return };
    let env = database.env().with("POSTGRES_POOL_SIZE", "1");
    let dogs = open("Dogs", Role::Follower, &env);
    let mut left = Vec::new();
    for (statement, count) in LEFTOVERS {
        for (access, end) in [
            (Access::Write, (|| End::Commit) as fn() -> End),
            (Access::Write, || End::Rollback),
            (Access::Read, || End::Rollback),
        ] {
            let before = look(&*dogs, count);
            assert_eq!(before.1, 0, "{statement}");
            let is_done = transact(&*dogs, access, end, |tx| tx.query(statement, &[]).is_ok());
            let (pid, found) = look(&*dogs, count);
            if found != 0 {
                left.push(format!("{access:?} {:?}: {statement}", end()));
                // The next round begins with a connection of its own.
                super::cut(&database, "Dogs");
            }
            // A connection is opened again only if there is no other way.
            if is_done && !statement.contains("PREPARE") && before.0 != pid {
                left.push(format!("{access:?} {:?}: closed by {statement}", end()));
            }
        }
    }
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn a_transaction_that_the_driver_has_ended_leaves_nothing_on_its_connection() {
    let Some(database) = database() else { return };
    let env = database.env().with("POSTGRES_POOL_SIZE", "1");
    let dogs = open("Dogs", Role::Follower, &env);
    for (statement, count) in LEFTOVERS {
        transact(
            &*dogs,
            Access::Read,
            || End::Rollback,
            |tx| {
                let driver = tx.postgres().expect("PostgreSQL");
                let script = format!("ROLLBACK; BEGIN; {statement}; COMMIT");
                driver.batch_execute(&script).expect("it is executed");
            },
        );
        assert_eq!(look(&*dogs, count).1, 0, "{statement}");
    }
}

#[test]
fn a_sequence_has_no_last_value_in_the_next_transaction() {
    let Some(database) = database() else { return };
    let env = database.env().with("POSTGRES_POOL_SIZE", "1");
    let dogs = open("Dogs", Role::Follower, &env);
    let next = "SELECT nextval('numbers')";
    for end in [(|| End::Commit) as fn() -> End, || End::Rollback] {
        let mut raw = database.connect();
        let made = raw.batch_execute("CREATE SEQUENCE IF NOT EXISTS numbers");
        made.expect("a sequence");
        transact(&*dogs, Access::Write, end, |tx| tx.query(next, &[]).is_ok());
        let last = transact(
            &*dogs,
            Access::Read,
            || End::Rollback,
            |tx| tx.query("SELECT lastval()", &[]).map(|rows| rows.len()),
        );
        assert!(last.is_err(), "{:?}: {last:?}", end());
    }
}
