//! The tables are equal to those of the Python library, and saves work with and without the
//! functions.

use es_store::postgres::PostgresRecorder;
use es_store::{AggregateRecorder, EventQuery, ProcessRecorder, Role, StoreError, Tracking};

use super::{Database, database, drop_functions, event, id, open, recording, refused};

/// Returns columns, types and keys of a table or composite type.
fn shape(database: &Database, name: &str) -> Vec<String> {
    let sql = "SELECT attname || ' ' || format_type(atttypid, atttypmod) || \
               CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END || \
               CASE WHEN EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid AND indisprimary AND attnum = ANY (indkey)) \
               THEN ' KEY' ELSE '' END || coalesce(' ' || pg_get_expr(adbin, adrelid), '') \
               FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum \
               WHERE attrelid = to_regclass($1)::oid AND attnum > 0 ORDER BY attnum";
    let rows = database.connect().query(sql, &[&name]).expect("a shape");
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn the_tables_are_those_of_the_python_library() {
    let Some(database) = database() else { return };
    for (application, ids) in [("Ours", "uuid"), ("OursText", "text")] {
        let env = database.env().with("ORIGINATOR_ID_TYPE", ids);
        open(application, Role::Follower, &env);
        let (ours, theirs) = (application.to_lowercase(), format!("theirs{ids}"));
        // The statements are those of version 9.5.6.
        let python = format!(
            "CREATE TABLE {theirs}_events (originator_id {ids} NOT NULL, originator_version bigint NOT NULL, topic text, \
             state bytea, notification_id bigserial, PRIMARY KEY (originator_id, originator_version)); \
             CREATE UNIQUE INDEX {theirs}_events_notification_id_idx ON {theirs}_events (notification_id ASC); \
             CREATE TABLE {theirs}_tracking (application_name text, notification_id bigint, PRIMARY KEY (application_name)); \
             CREATE TYPE theirs_{ids} AS (originator_id {ids}, originator_version bigint, topic text, state bytea)"
        );
        database
            .connect()
            .batch_execute(&python)
            .expect("Python's tables");
        for (one, other) in [
            (format!("{ours}_events"), format!("{theirs}_events")),
            (format!("{ours}_tracking"), format!("{theirs}_tracking")),
            (format!("stored_event_{ids}"), format!("theirs_{ids}")),
        ] {
            let expected: Vec<_> = shape(&database, &other)
                .iter()
                .map(|line| line.replace(&theirs, &ours))
                .collect();
            assert_eq!(shape(&database, &one), expected);
        }
        let index = "SELECT pg_get_indexdef(to_regclass($1)::oid)";
        let mut raw = database.connect();
        let mut index = |name: &str| -> String {
            let name = format!("{name}_events_notification_id_idx");
            raw.query_one(index, &[&name]).expect("an index").get(0)
        };
        assert_eq!(index(&ours), index(&theirs).replace(&theirs, &ours));
        let mark: i64 = raw
            .query_one(&format!("SELECT notification_id FROM {ours}_tracking WHERE application_name = '__migration__'"), &[])
            .expect("the mark")
            .get(0);
        assert_eq!(mark, 1);
    }
}

#[test]
fn without_the_function_the_same_is_recorded_by_plain_statements() {
    let Some(database) = database() else { return };
    let dogs = open("Dogs", Role::Follower, &database.env());
    dogs.record(&recording(1, [1]).tracking(Tracking::new("Up", 0, 1)))
        .expect("recorded");
    // The functions are dropped while a recorder uses them.
    drop_functions(&database, "Dogs");
    let without = open(
        "Dogs",
        Role::Follower,
        &database.env().with("CREATE_TABLE", "n"),
    );
    for (number, dogs) in [(2, &dogs), (3, &without)] {
        check(&**dogs, number);
    }
}

fn check(dogs: &dyn ProcessRecorder, number: u128) {
    let from = dogs.tracked("Up").expect("read").unwrap_or(0);
    let at = es_store::UpstreamEvent::new(id(9), 7);
    let moved = Tracking::new("Up", from, from + 5).at(at.clone());
    let recorded = dogs
        .record(&recording(number, 1..=3).tracking(moved.clone()))
        .expect("recorded");
    assert_eq!(recorded.positions.len(), 3);
    assert_eq!(dogs.followed("Up").expect("read").event, Some(at));
    let refused = dogs.record(&recording(number, [4]).tracking(moved));
    assert!(
        matches!(refused, Err(StoreError::PositionMoved { .. })),
        "{refused:?}"
    );
    let refused = dogs.record(&recording(number, [3]));
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    let refused = dogs.record(&recording(number, [5]));
    assert!(
        matches!(refused, Err(StoreError::Gap { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_snapshot_may_be_kept_twice() {
    let Some(database) = database() else { return };
    let env = database.env();
    let dogs = PostgresRecorder::open("Dogs", Role::Leader, &env).expect("a database");
    let all = |gt: u64| {
        dogs.select_snapshots(&id(1), &EventQuery::all().gt(gt).desc())
            .expect("read")
    };
    assert!(all(0).is_empty());
    for version in [2, 5, 5] {
        dogs.record_snapshot(&event(1, version)).expect("kept");
    }
    assert_eq!(all(0), [event(1, 5), event(1, 2)]);
    assert_eq!(all(2), [event(1, 5)]);
    assert!(
        dogs.select_events(&id(1), &EventQuery::all())
            .expect("read")
            .is_empty()
    );
}

#[test]
fn the_printed_statements_make_all_that_an_application_needs() {
    let Some(database) = database() else { return };
    let env = database.env().with("CREATE_TABLE", "n");
    for application in ["Dogs", "Counters"] {
        refused(application, Role::Follower, &env);
        let statements = es_store::ddl(application, Role::Follower, &env).expect("printed");
        database
            .connect()
            .batch_execute(&statements)
            .expect("they run");
        let opened = open(application, Role::Follower, &env);
        opened.record(&recording(1, [1, 2])).expect("recorded");
        opened.record_snapshot(&event(1, 2)).expect("kept");
    }
}

#[test]
fn an_application_that_is_dropped_leaves_nothing_of_its_own() {
    let Some(database) = database() else { return };
    open("Dogs", Role::Follower, &database.env());
    database.drop_application("Dogs");
    let left = "SELECT count(*) FROM pg_class WHERE relname LIKE 'dogs%' UNION ALL \
                SELECT count(*) FROM pg_proc WHERE proname LIKE 'dogs%'";
    let left = database.connect().query(left, &[]).expect("counts");
    assert!(left.iter().all(|row| row.get::<_, i64>(0) == 0), "{left:?}");
    open("Dogs", Role::Follower, &database.env());
}
