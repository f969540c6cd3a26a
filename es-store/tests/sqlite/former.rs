//! Files whose table of failures is that of an earlier release, or is missing.

use es_store::{
    Env, Notification, ProcessRecorder, Recording, Role, SetAside, SetAsideChange, SetAsideQuery,
    Tracking,
};

use super::{Folder, env, event, open, raw};

/// The statements of an earlier release.
const FORMER: &str = "DROP TABLE es_failures; DROP TABLE es_operations; \
     CREATE TABLE es_failures (application_name TEXT, notification_id INTEGER, originator_id TEXT, \
     originator_version INTEGER, topic TEXT, error TEXT, attempts INTEGER, failed_on TEXT, \
     PRIMARY KEY (application_name, notification_id)) WITHOUT ROWID";

/// A row that no release has written.
const ROW: &str = "INSERT INTO es_failures (application_name, notification_id) VALUES ('Up', 7)";

fn former(folder: &Folder, further: &str) -> Env {
    let path = folder.path("dogs.sqlite");
    let dogs = open("Dogs", Role::Follower, &env(&path));
    let moved = Recording::from(Tracking::new("Up", 0, 5));
    dogs.record(&moved).expect("recorded");
    drop(dogs);
    raw(&path).execute_batch(FORMER).expect("tables");
    raw(&path).execute_batch(further).expect("more");
    env(&path)
}

/// Sets an event aside, behind the position 5.
fn set_aside(dogs: &dyn ProcessRecorder) {
    dogs.check_set_aside().expect("it can");
    let time = es_core::Timestamp::from_micros(7).expect("a time");
    let event = SetAside::new("Up", "a", &Notification::new(7, event(1, 1)), time);
    let (event, behind) = (Box::new(event), None);
    let recording = Recording::from(Tracking::new("Up", 5, 7));
    let recording = recording.set_aside(SetAsideChange::Put { event, behind });
    dogs.record(&recording).expect("recorded");
    let found = dogs.select_set_aside(&SetAsideQuery::all());
    assert_eq!(found.expect("read").len(), 1);
    assert_eq!(dogs.followed("Up").expect("read").waiting.count, 1);
}

/// Checks that positions can be recorded and that nothing can be set aside. Returns the statements
/// that the error tells.
fn is_told(dogs: &dyn ProcessRecorder, reason: &str) -> String {
    assert_eq!(dogs.followed("Up").expect("read").position, Some(5));
    let moved = Recording::from(Tracking::new("Up", 5, 5));
    dogs.record(&moved).expect("recorded");
    let found = dogs.select_set_aside(&SetAsideQuery::all());
    assert!(found.expect("read").is_empty());
    let problem = dogs.check_set_aside().expect_err("it cannot").to_string();
    assert!(problem.contains(reason), "{problem}");
    let (_, statements) = problem.split_once(" Execute: ").expect(&problem);
    statements.to_owned()
}

#[test]
fn the_unused_table_of_an_earlier_release_is_replaced() {
    let folder = Folder::new();
    let env = former(&folder, "");
    set_aside(&*open("Dogs", Role::Follower, &env));
    let again = open("Dogs", Role::Follower, &env);
    assert_eq!(again.followed("Up").expect("read").waiting.count, 1);
}

#[test]
fn a_table_of_an_earlier_release_with_rows_is_kept_and_told() {
    let folder = Folder::new();
    let env = former(&folder, ROW);
    let path = folder.path("dogs.sqlite");
    for _ in 0..2 {
        let dogs = open("Dogs", Role::Follower, &env);
        let statements = is_told(&*dogs, "`es_failures` is that of an earlier release");
        let rows = raw(&path).query_row("SELECT count(*) FROM es_failures", [], |row| row.get(0));
        assert_eq!(rows, Ok(1_i64));
        assert!(
            statements.starts_with("DROP TABLE es_failures; CREATE TABLE"),
            "{statements}"
        );
    }
    let statements = is_told(&*open("Dogs", Role::Follower, &env), "has rows");
    raw(&path)
        .execute_batch(&statements)
        .expect("they are right");
    set_aside(&*open("Dogs", Role::Follower, &env));
}

#[test]
fn without_create_table_the_application_opens_and_is_told_what_rules_need() {
    for (further, has_row) in [("", false), (ROW, true), ("DROP TABLE es_failures", false)] {
        let folder = Folder::new();
        let env = former(&folder, further);
        let off = env.clone().with("CREATE_TABLE", "n");
        let reason = if has_row {
            "has rows"
        } else {
            "CREATE_TABLE is off"
        };
        let dogs = open("Dogs", Role::Follower, &off);
        let statements = is_told(&*dogs, reason);
        drop(dogs);
        let path = folder.path("dogs.sqlite");
        raw(&path)
            .execute_batch(&statements)
            .expect("they are right");
        set_aside(&*open("Dogs", Role::Follower, &off));
    }
}

#[test]
fn a_file_that_can_only_be_read_is_read_with_any_table_of_failures() {
    for further in ["", ROW, "DROP TABLE es_failures"] {
        let folder = Folder::new();
        former(&folder, further);
        let path = folder.path("dogs.sqlite");
        let read_only = env(format!("file:{}?mode=ro", path.display()));
        let dogs = open("Dogs", Role::Follower, &read_only);
        assert_eq!(dogs.followed("Up").expect("read").position, Some(5));
        dogs.check_set_aside().expect_err("it cannot");
        assert!(dogs.select_operations(9).expect("read").is_empty());
    }
}

#[test]
fn a_leader_leaves_the_tables_as_they_are() {
    let folder = Folder::new();
    let env = former(&folder, "");
    let leader = open("Dogs", Role::Leader, &env);
    leader.check_set_aside().expect_err("it follows no other");
    let path = folder.path("dogs.sqlite");
    let raw = raw(&path);
    let columns = "SELECT count(*) FROM pragma_table_info('es_failures') WHERE name = 'failed_on'";
    let former = raw.query_row(columns, [], |row| row.get(0));
    assert_eq!(former, Ok(1_i64));
}

#[test]
fn what_is_recorded_of_an_upstream_is_found_by_indexes() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    open("Dogs", Role::Follower, &env(&path));
    let raw = raw(&path);
    let plan = |sql: &str| -> String {
        let mut plan = raw
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .expect("a plan");
        let lines = plan
            .query_map([], |row| row.get::<_, String>(3))
            .expect("lines");
        lines.map(|line| line.expect("a line") + "\n").collect()
    };
    for (condition, index) in [
        ("kind IN ('paused', 'resumed')", "es_operations_standing"),
        ("kind = 'stopped'", "es_operations_stopped"),
        ("kind = 'began'", "es_operations_began"),
    ] {
        let sql = format!(
            "SELECT * FROM es_operations WHERE upstream = 'Up' AND {condition} ORDER BY id DESC LIMIT 1"
        );
        let plan = plan(&sql);
        assert!(
            plan.contains(index) && !plan.contains("TEMP B-TREE"),
            "{plan}"
        );
    }
    let waiting = plan(
        "SELECT row_number() OVER (PARTITION BY sequence ORDER BY position) FROM es_failures \
         WHERE upstream = 'Up' AND decision IS NULL",
    );
    assert!(waiting.contains("es_failures_waiting"), "{waiting}");
    assert!(!waiting.contains("TEMP B-TREE"), "{waiting}");
}
