//! Commits that wait for a synchronous standby, and a standby that is read.

use std::sync::Arc;
use std::time::Duration;
use std::{fs, thread};

use es_store::postgres::PostgresRecorder;
use es_store::testing::postgres::{Database, cluster};

use es_store::{AggregateRecorder, Role, StoreError, Subscription};

use super::{open, recording, versions, wait_until};

/// Returns a process whose commit waits for a standby.
fn waiting(database: &Database) -> Option<i32> {
    let waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    let row = database.connect().query_opt(waiting, &[]);
    row.expect("a list").map(|row| row.get(0))
}

fn wait_for_standby(database: &Database, name: &str) {
    let mut raw = database.connect();
    let set = format!("ALTER SYSTEM SET synchronous_standby_names = '{name}'");
    for statement in [&set, "SELECT pg_reload_conf()"] {
        raw.batch_execute(statement).expect("set");
    }
    wait_until("the server does not read its settings", || {
        let setting = "SHOW synchronous_standby_names";
        let row = database.connect().query_one(setting, &[]).expect("shown");
        (row.get::<_, String>(0) == name).then_some(())
    });
}

#[test]
fn a_commit_that_was_cut_off_in_front_of_its_standby_is_not_acknowledged_without_it() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database();
    let dogs = open("Dogs", Role::Leader, &database.env());
    dogs.record(&recording(1, [1])).expect("recorded");
    for (version, events) in [(2, 1), (3, 2)] {
        wait_for_standby(&database, "nobody");
        thread::scope(|scope| {
            let versions = version..version + events;
            let saved = scope.spawn(|| dogs.record(&recording(1, versions)));
            let first = wait_until("no commit waits", || waiting(&database));
            let cut = "SELECT pg_terminate_backend($1, 5000)";
            let mut raw = database.connect();
            raw.query(cut, &[&first]).expect("cut");
            wait_until("it was acknowledged", || {
                waiting(&database).filter(|again| *again != first)
            });
            assert!(!saved.is_finished());
            wait_for_standby(&database, "");
            let recorded = saved.join().expect("no panic").expect("recorded");
            assert_eq!(recorded.positions.len() as u64, events);
        });
    }
    assert_eq!(versions(&*dogs), [1, 2, 3, 4]);
}

#[test]
fn a_standby_is_read_and_followed_and_not_written() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database();
    let dogs = open("Dogs", Role::Leader, &database.env());
    dogs.record(&recording(1, [1, 2])).expect("recorded");
    drop(dogs);
    let folder = database
        .connect()
        .query_one("SHOW data_directory", &[])
        .expect("shown");
    let folder: String = folder.get(0);
    cluster.stop();
    fs::write(format!("{folder}/standby.signal"), "").expect("written");
    cluster.resume();

    let dogs = PostgresRecorder::open("Dogs", Role::Leader, &database.env()).expect("opened");
    let dogs = Arc::new(dogs);
    let refused = dogs.record(&recording(2, [1]));
    assert!(
        matches!(refused, Err(StoreError::ReadOnly { .. })),
        "{refused:?}"
    );
    let followed = Subscription::new(dogs.clone(), None).expect("followed");
    let mut followed = followed.poll_interval(Duration::from_millis(10));
    for version in [1, 2] {
        let next = followed.next().expect("another").expect("read");
        assert_eq!(next.originator_version, version);
    }

    let mut raw = database.connect();
    raw.query("SELECT pg_promote()", &[]).expect("promoted");
    dogs.record(&recording(1, [3])).expect("recorded");
    let next = followed.next().expect("another").expect("read");
    assert_eq!(next.originator_version, 3);
}
