//! A sequence that lies behind the events, as after a copy of the tables that left it out. A new
//! event would get a position that readers have passed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use es_store::{Notification, NotificationQuery, ProcessRecorder, Role, StoreError, Tracking};

use super::{Database, database, drop_functions, id, open, recording, versions};

/// Returns an application with events at the positions 1, 3, 5 and 6, whose sequence will give
/// `next`.
fn set_back(database: &Database, has_function: bool, next: i64) -> Arc<dyn ProcessRecorder> {
    let dogs = open("Dogs", Role::Follower, &database.env());
    if !has_function {
        drop_functions(database, "Dogs");
    }
    let all = recording(1, 1..=6).tracking(Tracking::new("Up", 0, 3));
    dogs.record(&all).expect("recorded");
    let hole = "DELETE FROM dogs_events WHERE notification_id IN (2, 4)";
    set(database, next);
    database.connect().batch_execute(hole).expect("deleted");
    dogs
}

fn set(database: &Database, next: i64) {
    let set = format!("SELECT setval('dogs_events_notification_id_seq', {next}, false)");
    database.connect().batch_execute(&set).expect("set back");
}

/// Returns the repair that the error names.
fn repair(refused: &StoreError) -> String {
    let text = refused.to_string();
    assert!(
        matches!(refused, StoreError::Configuration(_)),
        "{refused:?}"
    );
    assert!(text.contains("`dogs_events`"), "{text}");
    let repair = text.find("SELECT setval(").map(|at| text[at..].to_owned());
    repair.unwrap_or_else(|| panic!("no repair: {text}"))
}

#[test]
fn an_event_that_would_get_a_position_below_the_head_is_refused_with_the_repair() {
    // The sequence gives a position in a hole, one that is taken, or one in a hole in the middle of
    // a recording.
    let cases = [(2, 1), (3, 1), (2, 3), (4, 3), (5, 9), (6, 2)];
    for has_function in [true, false] {
        let Some(database) = database() else { return };
        let dogs = set_back(&database, has_function, 1);
        let before = versions(&*dogs);
        for (next, events) in cases {
            for tracks in [false, true] {
                set(&database, next);
                let mut new = recording(2, 1..=events);
                if tracks {
                    new = new.tracking(Tracking::new("Up", 3, 4));
                }
                let refused = dogs.record(&new).expect_err("it is below the head");
                repair(&refused);
                assert_eq!(versions(&*dogs), before, "{next} {events}");
                assert_eq!(dogs.tracked("Up").expect("read"), Some(3));
            }
        }
        set(&database, 2);
        let refused = dogs
            .record(&recording(2, [1]))
            .expect_err("it is below the head");
        let repair = repair(&refused);
        database.connect().batch_execute(&repair).expect("mended");
        let recorded = dogs.record(&recording(2, 1..=2)).expect("recorded");
        assert_eq!(recorded.positions, [7, 8], "{has_function}");
    }
}

#[test]
fn the_first_events_of_a_table_are_not_below_any_head() {
    for has_function in [true, false] {
        let Some(database) = database() else { return };
        let dogs = open("Dogs", Role::Leader, &database.env());
        if !has_function {
            drop_functions(&database, "Dogs");
        }
        dogs.record(&recording(1, [1])).expect("recorded");
        dogs.record(&recording(2, 1..=3)).expect("recorded");
        assert_eq!(dogs.head().expect("read").expect("a head").position, 4);
    }
}

#[test]
fn a_sequence_that_is_set_back_while_savers_work_lets_no_event_below_the_head() {
    let Some(database) = database() else { return };
    let dogs = set_back(&database, true, 7);
    let is_over = AtomicBool::new(false);
    let save = &|number: u128| {
        for version in 1.. {
            // A refused save is made again: the sequence goes on by itself.
            while dogs.record(&recording(number, [version])).is_err() {}
            if is_over.load(Ordering::SeqCst) {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        for number in 10..13 {
            scope.spawn(move || save(number));
        }
        let mut seen = Vec::new();
        for _ in 0..20 {
            set(&database, 2);
            let log = dogs.select_notifications(&NotificationQuery::after(6));
            let log: Vec<_> = log.expect("read").iter().map(|one| one.id).collect();
            assert!(log.starts_with(&seen), "an event came in between: {log:?}");
            seen = log;
        }
        is_over.store(true, Ordering::SeqCst);
    });
    let first = dogs.select_notifications(&NotificationQuery::all().up_to(6));
    let is_first = |one: &Notification| one.originator_id == id(1);
    assert!(
        first.expect("read").iter().all(is_first),
        "an event is in a hole"
    );
}

#[test]
fn the_functions_of_an_older_program_stay_where_they_are() {
    let Some(database) = database() else { return };
    let older = "CREATE FUNCTION dogs_append_v1(id uuid, version bigint, topic text, state bytea) \
                 RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'";
    database.connect().batch_execute(older).expect("created");
    let dogs = open("Dogs", Role::Leader, &database.env());
    dogs.record(&recording(1, [1])).expect("recorded");
    let functions = "SELECT count(*) FILTER (WHERE proname = 'dogs_append_v1'), \
                     count(*) FILTER (WHERE proname = 'dogs_append_v3') FROM pg_proc";
    let row = database.connect().query_one(functions, &[]).expect("read");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1, 2));
    assert_eq!(versions(&*dogs), [1]);
}
