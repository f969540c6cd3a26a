//! Servers that have no connection left, and the number of connections that an application opens.

use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use es_core::error_chain;
use es_store::{Access, End, Env, EventQuery, ProcessRecorder, Remedy, Role, Signal};

use super::bad::RestrictedRole;
use super::{Database, database, id, open, recording};

/// The longest wait for something that should happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until no other test here runs, because a shortage closes the idle connections of the whole
/// process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a role that may have so many connections, and do everything with the applications that
/// are opened here.
fn limited<'a>(database: &'a Database, applications: &[&str], limit: u32) -> RestrictedRole<'a> {
    for application in applications {
        open(application, Role::Follower, &database.env());
    }
    let role = RestrictedRole::new(database, &format!("limited{limit}_"));
    role.run(&format!(
        "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {{}}; \
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {{}}; \
         ALTER ROLE {{}} CONNECTION LIMIT {limit}"
    ));
    role
}

/// Records one version of an aggregate, and reads all of them.
fn write_and_read(recorder: &dyn ProcessRecorder, number: u128, version: u64) {
    let recorded = recorder.record(&recording(number, [version]));
    recorded.expect("recorded");
    let read = recorder.select_events(&id(number), &EventQuery::all());
    assert_eq!(read.expect("read").len() as u64, version);
}

#[test]
fn commands_wait_for_the_few_connections_that_there_are() {
    let _alone = alone();
    let Some(database) = database() else { return };
    let role = limited(&database, &["Dogs"], 3);
    let dogs = open("Dogs", Role::Follower, &role.env());
    thread::scope(|scope| {
        for number in 1..=8 {
            let dogs = &dogs;
            scope.spawn(move || {
                for version in 1..=30 {
                    write_and_read(&**dogs, number, version);
                }
            });
        }
    });
}

#[test]
fn applications_that_have_a_connection_for_writing_only_are_read_on_it() {
    const NAMES: [&str; 4] = ["Dogs", "Cats", "Cows", "Pigs"];
    let _alone = alone();
    let Some(database) = database() else { return };
    let role = limited(&database, &NAMES, 7);
    let signal = Signal::new();
    let opened = NAMES.map(|name| open(name, Role::Follower, &role.env()));
    let _listening = [0, 1, 2].map(|index| opened[index].listen(&signal).expect("it listens"));
    thread::scope(|scope| {
        for (recorder, number) in opened.iter().zip(1..) {
            for part in 0..2 {
                scope.spawn(move || {
                    let number = number * 10 + part;
                    for version in 1..=30 {
                        write_and_read(&**recorder, number, version);
                    }
                });
            }
        }
    });
}

#[test]
fn four_applications_share_fewer_connections_than_their_pools_may_have() {
    const NAMES: [&str; 4] = ["Dogs", "Cats", "Cows", "Pigs"];
    let _alone = alone();
    let Some(database) = database() else { return };
    let role = limited(&database, &NAMES, 7);
    let signal = Signal::new();
    let opened = NAMES.map(|name| open(name, Role::Follower, &role.env()));
    let _listening = [0, 1].map(|index| opened[index].listen(&signal).expect("it listens"));
    thread::scope(|scope| {
        for (recorder, number) in opened.iter().zip(1..) {
            for part in 0..2 {
                scope.spawn(move || {
                    let number = number * 10 + part;
                    for version in 1..=8 {
                        write_and_read(&**recorder, number, version);
                        let look = &mut |tx: &mut es_store::Transaction<'_>| {
                            tx.query("SELECT 1", &[]).expect("a row");
                            Ok(End::Rollback)
                        };
                        recorder.transact(Access::Read, look).expect("read");
                    }
                });
            }
        }
    });
}

#[test]
fn when_no_connection_comes_free_in_time_the_error_tells_what_to_change() {
    let _alone = alone();
    let Some(database) = database() else { return };
    let role = limited(&database, &["Dogs"], 1);
    let env = role
        .env()
        .with("POSTGRES_CONNECT_TIMEOUT", "0.4")
        .with("POSTGRES_POOL_SIZE", "2")
        .with("POSTGRES_MAX_OVERFLOW", "1");
    let dogs = open("Dogs", Role::Follower, &env);
    assert_eq!(dogs.head().expect("the writer reads"), None);
    let look = |dogs: &dyn ProcessRecorder| dogs.transact(Access::Read, &mut |_| Ok(End::Rollback));
    let since = Instant::now();
    let error = look(&*dogs).expect_err("the writer has the only connection");
    assert!(since.elapsed() >= Duration::from_millis(400), "it waits");
    let said = error_chain(&error).to_string();
    for part in [
        "(53300)",
        "may open 5 connections, and 9 if it is a projection",
        "POSTGRES_POOL_SIZE",
        "max_connections",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(error.remedy(), Remedy::RetryLater);
    dogs.record(&recording(1, [1])).expect("it may write");
    role.run("ALTER ROLE {} CONNECTION LIMIT 2");
    look(&*dogs).expect("one is left");
    assert_eq!(
        dogs.head().expect("one is left").map(|head| head.position),
        Some(1)
    );
}

/// Returns the number of connections of an application.
fn connections(database: &Database, application: &str) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
               AND application_name = $1";
    let row = database.connect().query_one(sql, &[&application]);
    row.expect("it can be counted").get(0)
}

#[test]
fn an_application_opens_as_many_connections_as_the_guide_counts() {
    let _alone = alone();
    let Some(database) = database() else { return };
    let (size, overflow) = (2, 1);
    let env: Env = database
        .env()
        .with("POSTGRES_POOL_SIZE", size.to_string())
        .with("POSTGRES_MAX_OVERFLOW", overflow.to_string());
    let dogs: Arc<dyn ProcessRecorder> = open("Dogs", Role::Follower, &env);
    let count = |expected: i64| {
        let since = Instant::now();
        while connections(&database, "Dogs") != expected {
            let found = connections(&database, "Dogs");
            assert!(since.elapsed() < PATIENCE, "{found} instead of {expected}");
            thread::yield_now();
        }
    };
    count(1);
    let _listening = dogs.listen(&Signal::new()).expect("it listens");
    count(2);
    let readers = size + overflow;
    let mut other = database.connect();
    let mut lock = other.transaction().expect("a transaction");
    lock.batch_execute("LOCK TABLE dogs_events")
        .expect("no reader gets on");
    let all_in = Barrier::new(usize::try_from(readers).expect("few") + 1);
    thread::scope(|scope| {
        for _ in 0..readers + 2 {
            scope.spawn(|| dogs.head().expect("it reads in the end"));
        }
        count(2 + readers);
        for _ in 0..readers {
            scope.spawn(|| {
                let stay = &mut |_: &mut es_store::Transaction<'_>| {
                    all_in.wait();
                    all_in.wait();
                    Ok(End::Rollback)
                };
                dogs.transact(Access::Read, stay).expect("it reads");
            });
        }
        all_in.wait();
        count(2 + 2 * readers);
        let rebuilding = dogs.lock_rebuild().expect("no error");
        count(2 + 2 * readers + 1);
        drop(rebuilding);
        all_in.wait();
        lock.rollback().expect("readers get on");
    });
    count(2 + 2 * size);
}
