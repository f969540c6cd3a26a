//! What is wrong is a clear error, and never a panic.

use std::time::Duration;

use es_store::{EventQuery, Head, NotificationQuery, Role, StoreError, Subscription, Tracking};
use rusqlite::params;

use super::{Folder, env, event, event_id, id, open, raw, recording, refused};

#[test]
fn a_missing_name_is_told_in_both_spellings() {
    let env = es_store::Env::new().with("PERSISTENCE_MODULE", "sqlite");
    let missing = refused("DogSchool", Role::Leader, &env).to_string();
    assert_eq!(
        missing,
        "the environment has no DOGSCHOOL_SQLITE_DBNAME or SQLITE_DBNAME"
    );
    let empty = refused(
        "DogSchool",
        Role::Leader,
        &env.with("DOGSCHOOL_SQLITE_DBNAME", ""),
    )
    .to_string();
    assert!(
        empty.starts_with("DOGSCHOOL_SQLITE_DBNAME is ``"),
        "{empty}"
    );
}

#[test]
fn settings_that_are_wrong_are_named() {
    for (key, value) in [
        ("SQLITE_LOCK_TIMEOUT", "soon"),
        ("SQLITE_YIELD", "-1"),
        ("CREATE_TABLE", "perhaps"),
        ("ORIGINATOR_ID_TYPE", "number"),
    ] {
        let refused = refused("Dogs", Role::Leader, &env(":memory:").with(key, value)).to_string();
        assert!(
            refused.starts_with(&format!("{key} is `{value}`")),
            "{refused}"
        );
    }
}

#[test]
fn a_missing_folder_is_named() {
    let folder = Folder::new();
    let path = folder.path("none").join("dogs.sqlite");
    let refused = refused("Dogs", Role::Leader, &env(&path)).to_string();
    assert!(
        refused.ends_with("none` does not exist")
            && refused.starts_with(path.to_str().expect("a path")),
        "{refused}"
    );
}

#[test]
fn a_file_that_is_no_database_is_named() {
    let folder = Folder::new();
    let path = folder.path("dogs.txt");
    std::fs::write(&path, "Woof. ".repeat(1000)).expect("a file");
    let refused = refused("Dogs", Role::Leader, &env(&path));
    let refused = es_core::error_chain(&refused).to_string();
    assert!(
        refused.contains("dogs.txt") && refused.contains("not a database"),
        "{refused}"
    );
}

#[test]
fn a_database_of_another_application_is_refused_with_both_names() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    open("Dogs", Role::Leader, &env(&path));
    let refused = refused("Cats", Role::Leader, &env(&path)).to_string();
    assert!(
        refused.contains("`Dogs`") && refused.contains("`Cats`"),
        "{refused}"
    );
    open("Dogs", Role::Follower, &env(&path));
}

#[test]
fn tables_of_a_newer_format_are_refused() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    open("Dogs", Role::Leader, &env(&path));
    raw(&path)
        .execute("UPDATE es_meta SET value = '2' WHERE key = 'format'", [])
        .expect("changed");
    let refused = refused("Dogs", Role::Leader, &env(&path)).to_string();
    assert!(refused.contains("format 2"), "{refused}");
}

#[test]
fn a_table_that_lacks_a_column_is_refused() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    raw(&path)
        .execute(
            "CREATE TABLE stored_events (originator_id TEXT, state BLOB)",
            [],
        )
        .expect("a table");
    let refused = refused("Dogs", Role::Leader, &env(&path)).to_string();
    assert!(refused.contains("`originator_version`"), "{refused}");
}

#[test]
fn a_table_for_snapshots_that_lacks_a_column_is_refused() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    raw(&path)
        .execute("CREATE TABLE stored_snapshots (originator_id TEXT)", [])
        .expect("a table");
    let refused = refused("Dogs", Role::Leader, &env(&path)).to_string();
    assert!(
        refused.contains("`stored_snapshots` has no column `originator_version`"),
        "{refused}"
    );
}

#[test]
fn where_no_table_for_snapshots_may_be_made_none_are_kept() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    open("Dogs", Role::Leader, &env(&path));
    let drop_it = "DROP TABLE stored_snapshots";
    raw(&path).execute(drop_it, []).expect("dropped");
    let off = env(&path).with("CREATE_TABLE", "n");
    let read_only = env(format!("file:{}?mode=ro", path.display()));
    for env in [off, read_only] {
        let dogs = open("Dogs", Role::Leader, &env);
        let found = dogs.select_snapshots(&id(1), &EventQuery::all());
        assert!(found.expect("read").is_empty());
        let refused = dogs.record_snapshot(&event(1, 1));
        let refused = refused.expect_err("there is no table").to_string();
        assert!(refused.contains("no table `stored_snapshots`"), "{refused}");
    }
    open("Dogs", Role::Leader, &env(&path))
        .record_snapshot(&event(1, 1))
        .expect("the table was made");
}

#[test]
fn without_create_table_what_is_missing_is_named_and_nothing_is_made() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let off = env(&path).with("CREATE_TABLE", "n");
    let missing = refused("Dogs", Role::Leader, &off).to_string();
    assert!(
        missing.ends_with("dogs.sqlite: the file does not exist, and CREATE_TABLE is off"),
        "{missing}"
    );
    assert!(!path.exists());
    open("Dogs", Role::Leader, &env(&path));
    open("Dogs", Role::Leader, &off);
    let refused = refused("Dogs", Role::Follower, &off).to_string();
    assert!(
        refused.ends_with("missing: `tracking`, `es_upstream`, `es_failures`"),
        "{refused}"
    );
}

#[test]
fn a_database_that_can_only_be_read_is_read() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let writer = open("Dogs", Role::Follower, &env(&path));
    writer
        .record(&recording(1, [1]).tracking(Tracking::new("Up", 0, 3)))
        .expect("recorded");
    let uri = format!("file:{}?mode=ro", path.display());
    let reader = open("Dogs", Role::Follower, &env(&uri));
    assert_eq!(
        reader
            .select_notifications(&NotificationQuery::all())
            .expect("read")
            .len(),
        1
    );
    assert_eq!(reader.tracked("Up").expect("read"), Some(3));
    let refused = reader.record(&recording(1, [2])).expect_err("refused");
    assert!(
        matches!(&refused, StoreError::ReadOnly { store, .. } if *store == uri),
        "{refused}"
    );
    let empty = folder.path("empty.sqlite");
    raw(&empty)
        .execute("CREATE TABLE other (a)", [])
        .expect("a table");
    let refused = super::refused(
        "Dogs",
        Role::Leader,
        &env(format!("file:{}?mode=ro", empty.display())),
    );
    assert!(
        refused.to_string().ends_with("missing: `stored_events`"),
        "{refused}"
    );
}

#[test]
fn a_lock_that_is_held_for_too_long_is_told_and_the_store_works_on() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let dogs = open(
        "Dogs",
        Role::Leader,
        &env(&path).with("SQLITE_LOCK_TIMEOUT", "0.02"),
    );
    let other = raw(&path);
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let refused = dogs.record(&recording(1, [1])).expect_err("locked");
    assert!(
        matches!(
            &refused,
            StoreError::Locked {
                key: "SQLITE_LOCK_TIMEOUT",
                ..
            }
        ),
        "{refused}"
    );
    assert_eq!(dogs.head().expect("readers wait for nobody"), None);
    other.execute_batch("ROLLBACK").expect("no lock");
    dogs.record(&recording(1, [1])).expect("recorded");
}

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
    assert_eq!(dogs.event_at(1).expect("read"), Some(event_id(1, 1)));
    let head = dogs.head().expect("read").expect("a head");
    assert_eq!(head.event, Some(event_id(1, 1)));
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
