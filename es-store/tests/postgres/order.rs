//! Positions become visible in their order, whatever the transactions of other writers do. Without
//! the lock they do not.

use std::sync::atomic::{AtomicBool, Ordering};

use es_store::{NotificationQuery, ProcessRecorder, Role, StoreError};

use super::{Database, database, open, recording};

/// Reads the log until the writers have ended, and returns the positions in the order seen.
fn tail(recorder: &dyn ProcessRecorder, is_over: &AtomicBool) -> Vec<u64> {
    let mut seen = Vec::new();
    loop {
        let was_over = is_over.load(Ordering::Acquire);
        let after = seen.last().copied().unwrap_or(0);
        let page = recorder
            .select_notifications(&NotificationQuery::after(after))
            .expect("read");
        if page.is_empty() && was_over {
            return seen;
        }
        seen.extend(page.iter().map(|one| one.id));
    }
}

/// Runs another program's transactions. They execute `lock`, insert, pause, and commit two of
/// three.
fn write_slowly(database: &Database, number: u32, lock: &str, factor: u32) {
    let mut raw = database.connect();
    for version in 1..=30 * factor {
        let end = if version % 3 == 0 {
            "ROLLBACK"
        } else {
            "COMMIT"
        };
        let dawdling = f64::from(number + 1) * 0.002;
        raw.batch_execute(&format!(
            "BEGIN; {lock}; INSERT INTO dogs_events (originator_id, originator_version, topic, state) \
             VALUES ('00000000-0000-0000-0001-{number:012}', {version}, 'test:Other', '{{}}'); \
             SELECT pg_sleep({dawdling}); {end}"
        ))
        .expect("written");
    }
}

/// Runs readers and writers at the same time. Returns the positions that each reader has seen, with
/// the log.
fn read_and_write(database: &Database, lock: &str, factor: u32) -> Vec<(Vec<u64>, Vec<u64>)> {
    let dogs = open("Dogs", Role::Leader, &database.env());
    let is_over = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let (dogs, is_over) = (&*dogs, &is_over);
        let readers: Vec<_> = (0..2)
            .map(|_| scope.spawn(move || tail(dogs, is_over)))
            .collect();
        let mut writers: Vec<_> = (0..3)
            .map(|number| scope.spawn(move || write_slowly(database, number, lock, factor)))
            .collect();
        writers.push(scope.spawn(move || {
            for number in 1..=60 * u128::from(factor) {
                dogs.record(&recording(number, 1..=1 + (number as u64 % 20)))
                    .expect("recorded");
                let refused = dogs.record(&recording(number, [1]));
                assert!(
                    matches!(refused, Err(StoreError::Conflict(_))),
                    "{refused:?}"
                );
            }
        }));
        for writer in writers {
            writer.join().expect("a writer");
        }
        is_over.store(true, Ordering::Release);
        readers
            .into_iter()
            .map(|reader| reader.join().expect("a reader"))
            .collect::<Vec<_>>()
    });
    let log = dogs
        .select_notifications(&NotificationQuery::all())
        .expect("read");
    let log: Vec<_> = log.iter().map(|one| one.id).collect();
    seen.into_iter().map(|seen| (seen, log.clone())).collect()
}

#[test]
fn a_reader_that_has_seen_a_position_never_misses_one_below_it() {
    let Some(database) = database() else { return };
    let factor = std::env::var("ES_TORTURE").map_or(1, |factor| factor.parse().unwrap_or(10));
    let lock = "LOCK TABLE dogs_events IN EXCLUSIVE MODE";
    for (seen, log) in read_and_write(&database, lock, factor) {
        assert_eq!(seen, log);
    }
}

/// The control: without the lock events are missed. A single run may not show it, as that depends
/// on the scheduling of threads.
#[test]
fn without_the_lock_readers_miss_events() {
    for _ in 0..20 {
        let Some(database) = database() else { return };
        let seen = read_and_write(&database, "SELECT 1", 1);
        if seen.iter().any(|(seen, log)| seen != log) {
            return;
        }
    }
    panic!("writers that take no lock were not noticed");
}
