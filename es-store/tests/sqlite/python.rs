//! Databases that the Python library wrote.

use es_core::{EventPayload, FieldError, FieldReader, FieldWriter, Timestamp};
use es_store::{
    Env, EventQuery, Mapper, NotificationQuery, ProcessRecorder, Recording, Role, StoreError,
    Tracking,
};
use rusqlite::Connection;
use uuid::Uuid;

use super::{Folder, env, event, open, raw, recording};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/python/");

fn copied(folder: &Folder, fixture: &str) -> std::path::PathBuf {
    let path = folder.path(fixture);
    std::fs::copy(format!("{FIXTURES}{fixture}"), &path).expect("a copy");
    path
}

fn statements(connection: &Connection, names: [&str; 3]) -> Vec<String> {
    let sql = "SELECT sql FROM sqlite_master WHERE name IN (?1, ?2, ?3) ORDER BY name";
    let mut statement = connection.prepare(sql).expect("a statement");
    let rows = statement.query_map(names, |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("texts")
}

#[test]
fn our_tables_are_those_of_python_letter_for_letter() {
    let folder = Folder::new();
    let (theirs, ours) = (
        copied(&folder, "plain-counters.sqlite"),
        folder.path("ours.sqlite"),
    );
    open("Counters", Role::Follower, &env(&ours));
    let tables = ["stored_events", "stored_snapshots", "tracking"];
    let statements = [
        statements(&raw(theirs), tables),
        statements(&raw(&ours), tables),
    ];
    assert_eq!(statements[0], statements[1]);
    assert_eq!(statements[0].len(), 3);
    let mark = "SELECT notification_id FROM tracking WHERE application_name = '__migration__'";
    assert_eq!(
        raw(&ours).query_row(mark, [], |row| row.get::<_, i64>(0)),
        Ok(1)
    );
}

#[derive(Debug, PartialEq)]
struct Registered {
    name: String,
}

impl EventPayload for Registered {
    const TOPIC: &'static str = "dogschool:Dog.Registered";

    fn encode<W: FieldWriter>(&self, fields: &mut W) -> Result<(), FieldError> {
        fields.put("name", &self.name)
    }

    fn decode<R: FieldReader>(fields: &mut R) -> Result<Self, FieldError> {
        Ok(Self {
            name: fields.take("name")?,
        })
    }
}

#[test]
fn events_that_python_stored_are_read() {
    let folder = Folder::new();
    let dogs = open(
        "DogSchool",
        Role::Leader,
        &env(copied(&folder, "plain-dogschool.sqlite")),
    );
    let log = dogs
        .select_notifications(&NotificationQuery::all())
        .expect("the log");
    assert_eq!(
        log.iter().map(|event| event.id).collect::<Vec<_>>(),
        (1..=11).collect::<Vec<_>>()
    );
    let billy = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"/dogs/Billy").into();
    assert_eq!(
        dogs.select_events(&billy, &EventQuery::all())
            .expect("events")
            .len(),
        4
    );
    let mapper = Mapper::new(&Env::new()).expect("a mapper");
    let registered = log.iter().filter(|event| event.topic == Registered::TOPIC);
    let names: Vec<_> = registered
        .map(|event| {
            mapper
                .decode_payload::<Registered>(event)
                .expect("an event")
                .payload
                .name
        })
        .collect();
    assert_eq!(names, ["Billy", "Milly", "Scrappy", "Søren \"Ünï\" 🐕"]);
    let timestamp = mapper
        .decode_payload::<Registered>(&log[0].event)
        .expect("an event")
        .timestamp;
    assert_eq!(
        timestamp,
        "2026-11-21T21:43:45.590367+00:00"
            .parse::<Timestamp>()
            .expect("a time")
    );
}

#[test]
fn a_log_that_python_began_is_written_on() {
    let folder = Folder::new();
    let path = copied(&folder, "sealed-dogschool.sqlite");
    let dogs = open("DogSchool", Role::Leader, &env(&path));
    assert_eq!(
        dogs.record(&recording(1, [1])).expect("recorded").positions,
        [12]
    );
    let row = "SELECT originator_id, originator_version, topic, typeof(state) FROM stored_events WHERE rowid = 12";
    let row: (String, i64, String, String) = raw(path)
        .query_row(row, [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .expect("the row");
    assert_eq!(
        row,
        (
            format!("{:032x}", 1),
            1,
            "test:Thing.Happened".to_owned(),
            "blob".to_owned()
        )
    );
}

#[test]
fn a_position_that_python_recorded_is_taken_on() {
    for fixture in ["plain-counters.sqlite", "sealed-counters.sqlite"] {
        let folder = Folder::new();
        let path = copied(&folder, fixture);
        let counters = open("Counters", Role::Follower, &env(&path));
        assert_eq!(counters.tracked("DogSchool").expect("read"), Some(11));
        let tracking = |from, to| {
            Recording::new(vec![event(1, 1)]).tracking(Tracking::new("DogSchool", from, to))
        };
        let lost = counters.record(&tracking(10, 12)).expect_err("moved");
        assert!(
            matches!(lost, StoreError::PositionMoved { found: 11, .. }),
            "{lost}"
        );
        counters.record(&tracking(11, 12)).expect("recorded");
        assert_eq!(counters.tracked("DogSchool").expect("read"), Some(12));
        // Python moves the position by its own statement, so the event at it is no longer known.
        let python =
            "UPDATE tracking SET notification_id = 13 WHERE application_name = 'DogSchool'";
        raw(&path).execute(python, []).expect("moved");
        assert_eq!(counters.tracked("DogSchool").expect("read"), Some(13));
    }
}

#[test]
fn a_tracking_table_without_its_mark_gets_it() {
    let folder = Folder::new();
    let path = copied(&folder, "plain-counters.sqlite");
    raw(&path)
        .execute(
            "DELETE FROM tracking WHERE application_name LIKE '!_!_%' ESCAPE '!'",
            [],
        )
        .expect("deleted");
    let counters = open("Counters", Role::Follower, &env(&path));
    assert_eq!(counters.tracked("DogSchool").expect("read"), Some(11));
    let rows = "SELECT count(*) FROM tracking WHERE application_name = '__migration__' AND notification_id = 1";
    assert_eq!(
        raw(&path).query_row(rows, [], |row| row.get::<_, i64>(0)),
        Ok(1)
    );
}

fn many_row_tracking(folder: &Folder) -> (std::path::PathBuf, std::sync::Arc<dyn ProcessRecorder>) {
    let path = folder.path("old.sqlite");
    raw(&path)
        .execute_batch(
            "CREATE TABLE tracking (application_name TEXT, notification_id INTEGER, \
             PRIMARY KEY (application_name, notification_id)) WITHOUT ROWID; \
             INSERT INTO tracking VALUES ('DogSchool', 2), ('DogSchool', 10), ('DogSchool', 9)",
        )
        .expect("an old table");
    let counters = open("Counters", Role::Follower, &env(&path));
    (path, counters)
}

#[test]
fn an_old_tracking_table_is_read_and_never_written() {
    let folder = Folder::new();
    let (path, counters) = many_row_tracking(&folder);
    assert_eq!(counters.tracked("DogSchool").expect("read"), Some(10));
    assert_eq!(counters.tracked("Other").expect("read"), None);
    let refused = counters.record(&recording(1, [1]).tracking(Tracking::new("DogSchool", 10, 11)));
    assert!(
        refused
            .expect_err("refused")
            .to_string()
            .contains("start Python 9.5 on it once")
    );
    assert_eq!(counters.head().expect("read"), None);
    let rows = "SELECT count(*), max(notification_id) FROM tracking";
    let rows: (i64, i64) = raw(path)
        .query_row(rows, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("counts");
    assert_eq!(rows, (3, 10));
}

#[test]
fn columns_that_a_newer_release_adds_are_tolerated() {
    let folder = Folder::new();
    let path = copied(&folder, "plain-dogschool.sqlite");
    raw(&path)
        .execute_batch("ALTER TABLE stored_events ADD COLUMN event_id TEXT; ALTER TABLE stored_events ADD metadata BLOB")
        .expect("columns");
    let dogs = open("DogSchool", Role::Leader, &env(&path));
    dogs.record(&recording(1, [1])).expect("recorded");
    assert_eq!(
        dogs.select_notifications(&NotificationQuery::all())
            .expect("the log")
            .len(),
        12
    );
}

#[test]
fn a_database_of_pythons_release_10_is_refused_by_name() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let table = "CREATE TABLE stored_events (context_name TEXT, originator_id TEXT, originator_version INTEGER, \
                 topic TEXT, state BLOB, metadata BLOB, event_id TEXT, PRIMARY KEY (originator_id, originator_version))";
    raw(&path).execute(table, []).expect("a table");
    let refused = super::refused("Dogs", Role::Leader, &env(&path)).to_string();
    assert!(
        refused.ends_with(
            "`stored_events` has the columns of the Python library's release 10, which this release does not read"
        ),
        "{refused}"
    );
}
