//! Changes of tables that are in use.

use std::thread;

use es_store::Role;
use es_store::testing::postgres::database;

use super::{open, recording, versions, wait_for_a_waiter, wait_until, waiters};

#[test]
fn writers_get_through_while_a_missing_index_waits_for_one_of_them() {
    let Some(database) = database() else { return };
    let dogs = open("Dogs", Role::Leader, &database.env());
    let mut writer = database.connect();
    let drop = "DROP INDEX dogs_events_notification_id_idx";
    writer.batch_execute(drop).expect("dropped");
    writer
        .batch_execute("BEGIN; LOCK TABLE dogs_events IN ROW EXCLUSIVE MODE")
        .expect("a transaction that writes");
    let mut other = database.connect();
    let set = "SET lock_timeout = '10s'; SET enable_seqscan = on";
    other.batch_execute(set).expect("a limit");
    thread::scope(|scope| {
        let opening = scope.spawn(|| open("Dogs", Role::Leader, &database.env()));
        for version in 1..=3 {
            wait_for_a_waiter(&database, &[]);
            let insert = format!(
                "INSERT INTO dogs_events (originator_id, originator_version, topic, state) \
                 VALUES ('00000000-0000-0000-0000-000000000001', {version}, 'test:Thing.Happened', '')"
            );
            other.batch_execute(&insert).expect("it gets through");
            wait_until("it waits on and on", || {
                waiters(&database).is_empty().then_some(())
            });
        }
        assert!(!opening.is_finished(), "the first writer is not done");
        writer.batch_execute("COMMIT").expect("it ends");
        let again = opening.join().expect("no panic");
        again.record(&recording(1, [4])).expect("recorded");
        assert_eq!(versions(&*dogs), [1, 2, 3, 4]);
    });
    let index = "SELECT count(*) FROM pg_indexes WHERE tablename = 'dogs_events'";
    let count: i64 = other.query_one(index, &[]).expect("a count").get(0);
    assert_eq!(count, 2);
}
