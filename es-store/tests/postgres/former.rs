//! Tables of failures of an earlier release, missing ones, and roles without a privilege for them.

use es_store::{
    Notification, OperationKind, ProcessRecorder, Recording, Role, SetAside, SetAsideChange,
    SetAsideQuery, Tracking,
};

use super::bad::RestrictedRole;
use super::{Database, database, event, open};

/// The statements of an earlier release.
const FORMER: &str = "DROP TABLE dogs_failures; DROP TABLE dogs_operations; \
     CREATE TABLE dogs_failures (application_name text, notification_id bigint, originator_id text, \
     originator_version bigint, topic text, error text, attempts bigint, failed_on text, \
     PRIMARY KEY (application_name, notification_id))";

/// A row that no release has written.
const ROW: &str = "INSERT INTO dogs_failures VALUES ('Up', 7)";

const ALL_TABLES: &str = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}; \
                          GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}";

fn run(database: &Database, sql: &str) {
    database.connect().batch_execute(sql).expect("it is right");
}

fn former() -> Option<Database> {
    let database = database()?;
    let dogs = open("Dogs", Role::Follower, &database.env());
    let moved = Recording::from(Tracking::new("Up", 0, 5));
    dogs.record(&moved).expect("recorded");
    run(&database, FORMER);
    Some(database)
}

/// Sets an event aside, behind the position 5, and records an operation.
fn set_aside(dogs: &dyn ProcessRecorder) {
    dogs.check_set_aside().expect("it can");
    let time = es_core::Timestamp::from_micros(7).expect("a time");
    let event = SetAside::new("Up", "a", &Notification::new(7, event(1, 1)), time);
    let (event, behind) = (Box::new(event), None);
    let began = es_store::Operation::new(OperationKind::Began, "Up", "Ann", time);
    let recording = Recording::from(Tracking::new("Up", 5, 7)).operation(began.at(9));
    let recording = recording.set_aside(SetAsideChange::Put { event, behind });
    dogs.record(&recording).expect("recorded");
    let found = dogs.select_set_aside(&SetAsideQuery::all());
    assert_eq!(found.expect("read").len(), 1);
    let followed = dogs.followed("Up").expect("read");
    assert_eq!((followed.waiting.count, followed.began), (1, Some(9)));
    let upstream = "Up".to_owned();
    let done = SetAsideChange::Done {
        upstream,
        position: 7,
    };
    dogs.record(&Recording::default().set_aside(done))
        .expect("done");
}

/// Checks that positions can be recorded and that nothing can be set aside. Returns the statements
/// that the error tells.
fn is_told(dogs: &dyn ProcessRecorder, reason: &str) -> String {
    assert_eq!(dogs.followed("Up").expect("read").position, Some(5));
    let moved = Recording::from(Tracking::new("Up", 5, 5));
    dogs.record(&moved).expect("recorded");
    let problem = dogs.check_set_aside().expect_err("it cannot").to_string();
    assert!(problem.contains(reason), "{problem}");
    let (_, statements) = problem.split_once(" Execute: ").expect(&problem);
    statements.to_owned()
}

#[test]
fn the_unused_table_of_an_earlier_release_is_replaced() {
    let Some(database) = former() else { return };
    set_aside(&*open("Dogs", Role::Follower, &database.env()));
    open("Dogs", Role::Follower, &database.env())
        .check_set_aside()
        .expect("it can");
}

#[test]
fn a_table_of_an_earlier_release_with_rows_is_kept_and_told() {
    let Some(database) = former() else { return };
    run(&database, ROW);
    for _ in 0..2 {
        let dogs = open("Dogs", Role::Follower, &database.env());
        let statements = is_told(&*dogs, "has rows");
        assert!(
            statements.contains("DROP TABLE \"public\".\"dogs_failures\""),
            "{statements}"
        );
        let rows = database
            .connect()
            .query_one("SELECT count(*) FROM dogs_failures", &[]);
        assert_eq!(rows.expect("a count").get::<_, i64>(0), 1);
    }
    let statements = is_told(&*open("Dogs", Role::Follower, &database.env()), "has rows");
    run(&database, &statements);
    set_aside(&*open("Dogs", Role::Follower, &database.env()));
}

#[test]
fn without_create_table_the_application_opens_and_is_told_what_rules_need() {
    let Some(database) = former() else { return };
    let off = database.env().with("CREATE_TABLE", "n");
    is_told(&*open("Dogs", Role::Follower, &off), "CREATE_TABLE is off");
    run(&database, "DROP TABLE dogs_failures");
    let statements = is_told(&*open("Dogs", Role::Follower, &off), "CREATE_TABLE is off");
    run(&database, &statements);
    set_aside(&*open("Dogs", Role::Follower, &off));
}

#[test]
fn a_role_that_may_not_create_tables_opens_and_is_told_what_their_owner_executes() {
    let Some(database) = former() else { return };
    let nobody = RestrictedRole::new(&database, "aside");
    nobody.run(ALL_TABLES);
    let statements = is_told(
        &*open("Dogs", Role::Follower, &nobody.env()),
        "its role may not create tables",
    );
    run(&database, &statements);
    // The new tables have none of the privileges of the former ones.
    let dogs = open("Dogs", Role::Follower, &nobody.env());
    let grants = is_told(&*dogs, "its role lacks a privilege");
    assert!(dogs.select_operations(9).expect("read").is_empty());
    run(&database, &grants);
    set_aside(&*open("Dogs", Role::Follower, &nobody.env()));
}

#[test]
fn a_role_that_may_not_even_read_the_former_table_opens() {
    let Some(database) = former() else { return };
    run(&database, ROW);
    let nobody = RestrictedRole::new(&database, "blind");
    nobody.run(ALL_TABLES);
    nobody.run("REVOKE ALL ON dogs_failures FROM {}");
    let dogs = open("Dogs", Role::Follower, &nobody.env());
    is_told(&*dogs, "its role may not create tables");
}

#[test]
fn a_role_that_may_only_read_the_tables_reads_what_is_set_aside() {
    let Some(database) = database() else { return };
    let dogs = open("Dogs", Role::Follower, &database.env());
    let moved = Recording::from(Tracking::new("Up", 0, 5));
    dogs.record(&moved).expect("recorded");
    let reader = RestrictedRole::new(&database, "asidereader");
    reader.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}");
    set_aside(&*dogs);
    let reader = open("Dogs", Role::Follower, &reader.env());
    assert_eq!(reader.select_operations(9).expect("read").len(), 1);
    assert_eq!(reader.followed("Up").expect("read").began, Some(9));
    let problem = reader.check_set_aside().expect_err("it may not write");
    assert!(
        problem
            .to_string()
            .contains("GRANT SELECT, INSERT, UPDATE, DELETE"),
        "{problem}"
    );
}

#[test]
fn a_text_with_a_zero_byte_is_refused_or_shown_without_it() {
    let Some(database) = database() else { return };
    let dogs = open("Dogs", Role::Follower, &database.env());
    let time = es_core::Timestamp::from_micros(7).expect("a time");
    let put = |sequence: &str| {
        let event = SetAside::new("Up", sequence, &Notification::new(7, event(1, 1)), time);
        let event = event.failed("bad \0 byte", None);
        let (event, behind) = (Box::new(event), None);
        let recording = Recording::from(Tracking::new("Up", 0, 7));
        recording.set_aside(SetAsideChange::Put { event, behind })
    };
    let refused = dogs.record(&put("a\0b")).expect_err("it cannot be kept");
    assert!(
        matches!(refused, es_store::StoreError::Invalid(_)),
        "{refused}"
    );
    dogs.record(&put("a")).expect("recorded");
    let query = SetAsideQuery::all().sequences(vec!["a\0".to_owned(), "a".to_owned()]);
    let found = dogs.select_set_aside(&query).expect("read");
    assert_eq!(found[0].error, "bad \u{fffd} byte");
}
