//! Damaged rows are errors that name them, and hide nothing else.

use std::time::Duration;

use es_store::{
    EventQuery, Head, NotificationQuery, Role, StoreError, Subscription, Tracking, UpstreamEvent,
};
use rusqlite::params;

use super::{Folder, env, event_id, id, open, raw, recording};

#[test]
fn a_damaged_row_is_an_error_that_names_it() {
    let good = format!("{:032x}", 1);
    let dashed = id(1).to_string();
    for (row_id, version, topic, state, problem) in [
        (
            good.as_str(),
            "'one'",
            "'t:A.B'",
            "x'7b7d'",
            "originator_version is of type Text",
        ),
        (
            &good,
            "-1",
            "'t:A.B'",
            "x'7b7d'",
            "originator_version is of type Integer",
        ),
        (
            &good,
            "NULL",
            "'t:A.B'",
            "x'7b7d'",
            "originator_version is of type Null",
        ),
        (&good, "1", "NULL", "x'7b7d'", "topic is of type Null"),
        (&good, "1", "'t:A.B'", "'{}'", "state is of type Text"),
        (&good, "1", "'t:A.B'", "NULL", "state is of type Null"),
        ("billy", "1", "'t:A.B'", "x'7b7d'", "no UUID"),
        (&dashed, "1", "'t:A.B'", "x'7b7d'", "no UUID"),
    ] {
        let folder = Folder::new();
        let path = folder.path("dogs.sqlite");
        let dogs = open("Dogs", Role::Leader, &env(&path));
        let insert = format!("INSERT INTO stored_events VALUES (?1, {version}, {topic}, {state})");
        raw(&path).execute(&insert, [row_id]).expect("a row");
        let damaged = dogs
            .select_notifications(&NotificationQuery::all())
            .expect_err("damaged")
            .to_string();
        assert!(
            damaged.contains("at position 1") && damaged.contains(problem),
            "{damaged}"
        );
        if row_id == good {
            let damaged = dogs
                .select_events(&id(1), &EventQuery::all())
                .expect_err("damaged")
                .to_string();
            assert!(
                damaged.contains(&id(1).to_string()) && damaged.contains(problem),
                "{damaged}"
            );
        }
    }
}

#[test]
fn a_damaged_last_row_hides_neither_the_position_nor_the_events_before_it() {
    let good = format!("{:032x}", 2);
    for (row_id, version) in [("billy", "1"), (&*good, "'one'"), (&*good, "NULL")] {
        let folder = Folder::new();
        let path = folder.path("dogs.sqlite");
        let dogs = open("Dogs", Role::Leader, &env(&path));
        dogs.record(&recording(1, [1])).expect("recorded");
        let insert = format!("INSERT INTO stored_events VALUES (?1, {version}, 't:A.B', x'7b7d')");
        raw(&path).execute(&insert, [row_id]).expect("a row");
        let head = dogs.head().expect("read");
        assert_eq!(head, Some(Head::new(2, None)));
        assert_eq!(dogs.event_at(2).expect("read"), None);
        assert_eq!(dogs.event_at(1).expect("read"), Some(event_id(1, 1)));
    }
}

#[test]
fn a_damaged_topic_or_state_does_not_hide_which_event_it_is() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let dogs = open("Dogs", Role::Leader, &env(&path));
    let insert = "INSERT INTO stored_events VALUES (?1, 1, NULL, NULL)";
    raw(&path)
        .execute(insert, [format!("{:032x}", 1)])
        .expect("a row");
    let without_digest = UpstreamEvent::new(id(1), 1);
    assert_eq!(
        dogs.event_at(1).expect("read"),
        Some(without_digest.clone())
    );
    let head = dogs.head().expect("read").expect("a head");
    assert_eq!(head.event, Some(without_digest));
}

#[test]
fn a_gap_that_another_program_left_may_be_filled() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let dogs = open("Dogs", Role::Leader, &env(&path));
    dogs.record(&recording(1, [1])).expect("recorded");
    let insert = "INSERT INTO stored_events VALUES (?1, 4, 't:A.B', x'7b7d')";
    raw(&path)
        .execute(insert, [format!("{:032x}", 1)])
        .expect("a row");
    let refused = dogs.record(&recording(1, [4])).expect_err("it is there");
    assert!(matches!(refused, StoreError::Conflict(_)), "{refused}");
    let refused = dogs.record(&recording(1, [3])).expect_err("2 is not there");
    assert!(
        refused
            .to_string()
            .ends_with("does not follow: version 2 is not there"),
        "{refused}"
    );
    dogs.record(&recording(1, [2, 3, 5])).expect("recorded");
}

#[test]
fn a_topic_that_is_no_text_is_passed_over_by_no_filter() {
    for topic in ["NULL", "x'00'"] {
        let folder = Folder::new();
        let path = folder.path("dogs.sqlite");
        let dogs = open("Dogs", Role::Leader, &env(&path));
        dogs.record(&recording(1, [1])).expect("recorded");
        let insert = format!("INSERT INTO stored_events VALUES (?1, 2, {topic}, x'7b7d')");
        raw(&path)
            .execute(&insert, [format!("{:032x}", 1)])
            .expect("a row");
        let query = NotificationQuery::all().topics(["test:Thing.Another"]);
        let damaged = dogs.select_notifications(&query).expect_err("damaged");
        let damaged = damaged.to_string();
        assert!(
            damaged.contains("at position 2") && damaged.contains("topic is of type"),
            "{damaged}"
        );
        let before = dogs.select_notifications(&query.up_to(1)).expect("read");
        assert!(before.is_empty());
    }
}

#[test]
fn a_subscription_gives_what_is_in_front_of_a_damaged_row() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let dogs = open("Dogs", Role::Leader, &env(&path));
    dogs.record(&recording(1, 1..=1234)).expect("recorded");
    raw(&path)
        .execute(
            "UPDATE stored_events SET state = NULL WHERE rowid = 1200",
            [],
        )
        .expect("damaged");
    let interval = Duration::from_millis(20);
    let subscription = Subscription::new(dogs, None).expect("a subscription");
    let mut subscription = subscription.poll_interval(interval);
    let good = subscription.by_ref().take(1199);
    let good: Vec<_> = good.map(|next| next.expect("read").id).collect();
    assert_eq!(good, (1..=1199).collect::<Vec<_>>());
    for _ in 0..3 {
        let damaged = subscription.next().expect("an item").expect_err("damaged");
        assert!(
            damaged.to_string().contains("at position 1200"),
            "{damaged}"
        );
    }
    raw(&path)
        .execute(
            "UPDATE stored_events SET state = x'7b7d' WHERE rowid = 1200",
            [],
        )
        .expect("mended");
    assert_eq!(
        subscription.next().expect("an item").expect("read").id,
        1200
    );
}

#[test]
fn a_damaged_position_is_an_error_that_names_the_upstream() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let dogs = open("Dogs", Role::Follower, &env(&path));
    raw(&path)
        .execute("INSERT INTO tracking VALUES ('Up', 'far')", [])
        .expect("a row");
    assert!(
        dogs.tracked("Up")
            .expect_err("damaged")
            .to_string()
            .contains("`Up`")
    );
    let refused = dogs.record(&recording(1, [1]).tracking(Tracking::new("Up", 0, 1)));
    assert!(
        matches!(refused, Err(StoreError::DamagedRow { .. })),
        "{refused:?}"
    );
}

#[test]
fn behind_the_last_position_that_there_can_be_nothing_is_recorded() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let dogs = open("Dogs", Role::Leader, &env(&path));
    let insert = "INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state) \
                  VALUES (?1, ?2, 1, 't:A.B', x'7b7d')";
    raw(&path)
        .execute(insert, params![i64::MAX, format!("{:032x}", 1)])
        .expect("a row");
    let refused = dogs.record(&recording(2, [1]));
    assert!(
        matches!(refused, Err(StoreError::Invalid(_))),
        "{refused:?}"
    );
    assert_eq!(
        dogs.head().expect("read").expect("a head").position,
        i64::MAX.unsigned_abs()
    );
}

/// The table as the library creates it, and as somebody may have created it by hand.
const TABLES: [&str; 2] = [
    "SELECT 1",
    "DROP TABLE stored_events; \
     CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB, \
     position INTEGER PRIMARY KEY AUTOINCREMENT, UNIQUE (originator_id, originator_version))",
];

#[test]
fn a_new_event_comes_behind_the_last_one_whatever_was_deleted_or_set_back() {
    for table in TABLES {
        let folder = Folder::new();
        let path = folder.path("dogs.sqlite");
        drop(open("Dogs", Role::Leader, &env(&path)));
        raw(&path).execute_batch(table).expect("created");
        let dogs = open("Dogs", Role::Leader, &env(&path));
        dogs.record(&recording(1, 1..=6)).expect("recorded");
        let hole = "DELETE FROM stored_events WHERE rowid IN (2, 3, 5)";
        raw(&path).execute_batch(hole).expect("deleted");
        if table != TABLES[0] {
            let set_back = "UPDATE sqlite_sequence SET seq = 1";
            raw(&path).execute_batch(set_back).expect("set back");
        }
        let recorded = dogs.record(&recording(2, 1..=2)).expect("recorded");
        assert_eq!(recorded.positions, [7, 8], "{table}");
    }
}
