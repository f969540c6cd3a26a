//! W1: load an aggregate, have it make an event, save it; one writer.

use std::path::Path;
use std::time::Instant;

use es_system::prelude::*;
use rusqlite::{Connection, params};
use tests::domain::{Dog, DogSchool};

use crate::pairs::{Sample, timed};
use crate::raw_sqlite::{self, Row};

const DOGS: usize = 400;
const SAVES: usize = 1_600;

fn name(number: usize) -> String {
    format!("dog {}", number % DOGS)
}

pub fn ours_on_sqlite() -> Sample {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let school = DogSchool::new(tests::files(dir.path())).expect("a new school");
    let mut dogs: Vec<Dog> = (0..DOGS)
        .map(|number| Dog::register(&name(number)))
        .collect();
    school.save(&mut dogs[..]).expect("saved");
    sample(|number| school.add_trick(&name(number), "roll over").expect("saved"))
}

pub fn raw_on_sqlite() -> Sample {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut connection = raw_sqlite::open(&raw_file(dir.path()));
    let rows: Vec<Row> = (0..DOGS).map(|number| registered(&name(number))).collect();
    raw_sqlite::insert(&mut connection, &rows);
    sample(|number| add_trick(&mut connection, &name(number), "roll over"))
}

fn sample(save: impl FnMut(usize)) -> Sample {
    let began = Instant::now();
    let latencies = timed(SAVES, save);
    Sample {
        saves: SAVES,
        elapsed: began.elapsed(),
        latencies,
    }
}

/// The same bytes as the library stores.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    timestamp: Transcoded<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    originator_topic: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trick: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Transcoded<'a> {
    _type_: &'a str,
    _data_: String,
}

fn now() -> Transcoded<'static> {
    Transcoded {
        _type_: "datetime_iso",
        _data_: Timestamp::now().to_string(),
    }
}

fn id(name: &str) -> String {
    Dog::create_id(name).simple().to_string()
}

/// The row of a dog's first event.
pub fn registered(name: &str) -> Row {
    let stored = Stored {
        timestamp: now(),
        originator_topic: Some("dogschool:Dog"),
        name: Some(name.to_owned()),
        trick: None,
    };
    let state = serde_json::to_vec(&stored).expect("plain data");
    Row {
        id: id(name),
        version: 1,
        topic: "dogschool:Dog.Registered",
        state,
    }
}

fn add_trick(connection: &mut Connection, name: &str, trick: &str) {
    let (version, tricks) = load(connection, &id(name));
    std::hint::black_box(tricks);
    let stored = Stored {
        timestamp: now(),
        originator_topic: None,
        name: None,
        trick: Some(trick.to_owned()),
    };
    let state = serde_json::to_vec(&stored).expect("plain data");
    let row = Row {
        id: id(name),
        version: version + 1,
        topic: "dogschool:Dog.TrickAdded",
        state,
    };
    raw_sqlite::insert(connection, &[row]);
}

fn load(connection: &Connection, id: &str) -> (i64, Vec<String>) {
    let sql = "SELECT originator_version, topic, state FROM stored_events WHERE originator_id = ?1 \
               ORDER BY originator_version";
    let mut statement = connection
        .prepare_cached(sql)
        .expect("the statement is right");
    let mut rows = statement.query(params![id]).expect("the table is there");
    let (mut version, mut tricks) = (0, Vec::new());
    while let Some(row) = rows.next().expect("a row") {
        version = row.get(0).expect("a number");
        let state = row.get_ref(2).expect("a column").as_blob().expect("bytes");
        let stored: Stored<'_> = serde_json::from_slice(state).expect("our own JSON");
        std::hint::black_box(&stored.timestamp._data_);
        tricks.extend(stored.trick);
    }
    (version, tricks)
}

/// Where the raw side keeps its rows.
pub fn raw_file(dir: &Path) -> std::path::PathBuf {
    dir.join("raw.sqlite")
}
