//! Wrong settings and files are clear errors and never panics.

use es_store::{EventQuery, NotificationQuery, Role, StoreError, Tracking};

use super::{Folder, env, event, id, open, raw, recording, refused};

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
        refused.ends_with(
            "missing: `tracking`, `es_upstream`, `es_policies`, `es_failures`, \
             `es_operations`"
        ),
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
