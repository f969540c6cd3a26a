//! Lost connections: no event is lost with them, and the recorder goes on.

use std::time::Duration;

use es_store::testing::postgres::cluster;
use es_store::{Role, Signal, StoreError, Tracking};

use super::{cut, database, event, open, recording, versions, wait_for_a_waiter, wait_until};

const LONG: Duration = Duration::from_secs(30);

#[test]
fn a_writer_and_readers_that_were_cut_off_go_on() {
    let Some(database) = database() else { return };
    let dogs = open("Dogs", Role::Leader, &database.env());
    for version in 1..=5 {
        dogs.record(&recording(1, [version])).expect("recorded");
        assert_eq!(
            versions(&*dogs).len(),
            usize::try_from(version).expect("small")
        );
        assert_eq!(
            cut(&database, "Dogs"),
            2,
            "one that writes, and one that reads"
        );
    }
    assert_eq!(versions(&*dogs), [1, 2, 3, 4, 5]);
}

#[test]
fn a_listener_that_was_cut_off_listens_again_and_rings() {
    let Some(database) = database() else { return };
    let (dogs, other) = (
        open("Dogs", Role::Leader, &database.env()),
        open("Dogs", Role::Leader, &database.env()),
    );
    let signal = Signal::new();
    let _listening = dogs.listen(&signal).expect("listening");
    for version in 1..=3 {
        let seen = signal.rings();
        assert!(cut(&database, "Dogs") >= 2);
        // The signal is rung because commits may have been missed.
        assert_ne!(signal.wait(seen, LONG), seen);
        let seen = signal.rings();
        other.record(&recording(1, [version])).expect("recorded");
        assert_ne!(signal.wait(seen, LONG), seen);
    }
}

#[test]
fn commits_of_another_connection_ring_those_who_listen() {
    let Some(database) = database() else { return };
    let (dogs, other) = (
        open("Dogs", Role::Leader, &database.env()),
        open("Dogs", Role::Leader, &database.env()),
    );
    for version in 1..=20 {
        let signal = Signal::new();
        let _listening = dogs.listen(&signal).expect("listening");
        other.record(&recording(1, [version])).expect("recorded");
        assert_ne!(signal.wait(0, LONG), 0);
    }
    let listening = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()";
    let mut raw = database.connect();
    let mut count = || -> i64 { raw.query_one(listening, &[]).expect("a count").get(0) };
    // The server notices a moment later that its client is gone.
    wait_until("a listener stays", || (count() == 0).then_some(()));
}

/// The commit is waiting for a lock when its connection is cut, so its outcome is unknown.
#[test]
fn a_commit_that_was_cut_off_while_it_waited_is_sent_again() {
    let Some(database) = database() else { return };
    let dogs = open("Dogs", Role::Follower, &database.env());
    let mut other = database.connect();
    let recording = recording(1, 1..=3).tracking(Tracking::new("Up", 0, 5));
    std::thread::scope(|scope| {
        let mut held = other.transaction().expect("a transaction");
        held.batch_execute("LOCK TABLE dogs_events IN EXCLUSIVE MODE")
            .expect("a lock");
        let recorded = scope.spawn(|| dogs.record(&recording));
        wait_for_a_waiter(&database, &[]);
        cut(&database, "Dogs");
        wait_for_a_waiter(&database, &[]);
        held.rollback().expect("no lock");
        let recorded = recorded.join().expect("no panic").expect("recorded");
        assert_eq!(recorded.positions.len(), 3);
    });
    assert_eq!(versions(&*dogs), [1, 2, 3]);
    assert_eq!(dogs.tracked("Up").expect("read"), Some(5));
}

/// A recording of a lost attempt with the same bytes is success; other bytes are a conflict.
#[test]
fn a_commit_that_took_place_and_was_cut_off_is_found() {
    let Some(database) = database() else { return };
    for (state, is_same) in [(event(1, 1).state, true), (b"{}".to_vec(), false)] {
        let application = format!("Dogs{is_same}");
        let table = format!("dogs{is_same}_events");
        let dogs = open(&application, Role::Leader, &database.env());
        let mut other = database.connect();
        std::thread::scope(|scope| {
            let mut held = other.transaction().expect("a transaction");
            held.batch_execute(&format!("LOCK TABLE {table} IN EXCLUSIVE MODE"))
                .expect("a lock");
            let recorded = scope.spawn(|| dogs.record(&recording(1, [1])));
            wait_for_a_waiter(&database, &[]);
            let insert = format!(
                "INSERT INTO {table} (originator_id, originator_version, topic, state) \
                 VALUES ('00000000-0000-0000-0000-000000000001', 1, 'test:Thing.Happened', $1)"
            );
            held.execute(&insert, &[&state]).expect("inserted");
            cut(&database, &application);
            held.commit().expect("committed");
            match recorded.join().expect("no panic") {
                Ok(recorded) => assert!(is_same && recorded.positions == [1]),
                Err(StoreError::Conflict(_)) => assert!(!is_same),
                Err(other) => panic!("{other}"),
            }
        });
        assert_eq!(versions(&*dogs), [1]);
    }
}

#[test]
fn a_server_that_is_started_again_is_found_again() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database();
    let dogs = open("Dogs", Role::Leader, &database.env());
    let signal = Signal::new();
    let _listening = dogs.listen(&signal).expect("listening");
    let mut version = 0;
    for crashes in [false, true] {
        version += 1;
        dogs.record(&recording(1, [version])).expect("recorded");
        if crashes {
            cluster.crash()
        } else {
            cluster.stop()
        }
        let seen = signal.rings();
        dogs.head().expect_err("the server is down");
        version += 1;
        let next = recording(1, [version]);
        std::thread::scope(|scope| {
            let recorded = scope.spawn(|| dogs.record(&next));
            cluster.resume();
            // The connection of this save was lost, so it retries until the server is back.
            recorded.join().expect("no panic").expect("recorded");
        });
        assert_ne!(signal.wait(seen, LONG), seen);
    }
    assert_eq!(versions(&*dogs), [1, 2, 3, 4]);
}
