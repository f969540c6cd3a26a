//! The page on the format says what is stored.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use es_store::{Mapper, StoredEvent};
use es_system::prelude::*;
use tests::PATIENCE;
use tests::domain::{Counter, Counters, Dog, DogSchool};
use tests::table::TrickTable;

use crate::fixtures::fixture_events;

const FORMAT: &str = include_str!("../../../es-system/src/guide/format.md");

fn is_told(what: &str) -> bool {
    FORMAT.contains(&format!("`{what}`"))
}

fn texts(file: &Path, sql: &str) -> Vec<String> {
    let connection = rusqlite::Connection::open(file).expect("the file is there");
    let mut statement = connection.prepare(sql).expect("a statement");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("texts")
}

/// The files of a leader, a follower and a projection that was rebuilt.
fn run(dir: &Path) -> Result<[PathBuf; 3]> {
    let env = tests::files(dir);
    let system = System::new(pipes![[DogSchool, Counters], [DogSchool, TrickTable]])?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "roll over")?;
    school.take_snapshot::<Dog>(Dog::create_id("Billy"), None)?;
    runner.wait_until_idle(PATIENCE)?;
    runner.rebuild::<TrickTable>(|_| {})?;
    runner.stop()?;
    Ok(["DogSchool", "Counters", "TrickTable"].map(|name| dir.join(format!("{name}.sqlite"))))
}

#[test]
fn the_page_names_every_table_column_and_key_that_is_stored() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for file in run(dir.path())? {
        let tables =
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'trick_counts'";
        for table in texts(&file, tables) {
            assert!(is_told(&table), "{table}");
            let columns = format!("SELECT name FROM pragma_table_info('{table}')");
            for column in texts(&file, &columns) {
                assert!(is_told(&column), "{table}.{column}");
            }
        }
        for key in texts(&file, "SELECT key FROM es_meta") {
            assert!(is_told(&key), "es_meta: {key}");
        }
    }
    Ok(())
}

/// The keys and prefixes that this run does not leave behind stand in the sources.
#[test]
fn the_page_names_every_key_and_prefix_that_the_sources_have() {
    let sources = super::sources(&super::root().join("es-store/src"));
    let is_name = |text: &String| {
        let kinds = [
            "projection_",
            "__",
            "text:",
            "_created",
            "_modified",
            "_state",
            "_type",
            "_data",
        ];
        kinds.iter().any(|kind| text.starts_with(kind)) && !text.contains(' ')
    };
    let quoted = sources.iter().flat_map(|file| super::quoted(file));
    let names: BTreeSet<String> = quoted.filter(is_name).collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        assert!(is_told(&name), "{name}");
    }
}

/// A state without the texts of its transcodings, such as times.
fn without_data(state: &str) -> String {
    let parts = state.split(r#""_data_":""#);
    let rests = parts.map(|part| part.split_once('"').map_or(part, |(_, rest)| rest));
    rests.collect::<Vec<_>>().join("…")
}

#[test]
fn the_states_on_the_page_are_stored_like_that() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let [school, ..] = run(dir.path())?;
    // They are stored without the line breaks of the page.
    let blocks = FORMAT.split("```json\n").skip(1);
    let shown: Vec<String> = blocks
        .filter_map(|block| block.split("```").next())
        .map(|block| without_data(&block.lines().map(str::trim).collect::<String>()))
        .collect();
    assert_eq!(shown.len(), 3);
    let stored = [
        "SELECT CAST(state AS TEXT) FROM stored_events ORDER BY rowid",
        "SELECT CAST(state AS TEXT) FROM stored_snapshots",
    ];
    let stored = stored.iter().flat_map(|sql| texts(&school, sql));
    let stored: Vec<_> = stored.map(|state| without_data(&state)).collect();
    assert_eq!(shown, stored);
    let python = fixture_events("plain-dogschool.sqlite");
    for event in &shown[..2] {
        let is_there = python.iter().any(|row| without_data(&row.4) == *event);
        assert!(is_there, "{event}");
    }
    Ok(())
}

/// The rows of the table with this head, each in the texts between its bars.
fn rows(head: &str) -> Vec<Vec<&'static str>> {
    let (_, table) = FORMAT.split_once(head).expect("the table is there");
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let cells = |row: &'static str| row.split('|').map(|cell| cell.trim().trim_matches('`'));
    rows.map(|row| cells(row).collect()).collect()
}

#[test]
fn the_forms_of_values_on_the_page_are_those_that_python_stores() {
    let values = include_str!("../../fixtures/python/values.json");
    let values: Vec<serde_json::Value> = serde_json::from_str(values).expect("JSON");
    let stored: Vec<_> = values
        .iter()
        .filter_map(|value| value["stored"].as_str())
        .collect();
    let shown = rows("| a value | in Rust | is stored as |");
    assert!(shown.len() >= 8, "{shown:?}");
    for row in shown {
        assert!(stored.contains(&row[3]), "{row:?}");
    }
}

/// They are no events, as their plain text is short. The error then is about the plain text.
#[test]
fn the_sealed_states_on_the_page_are_opened_with_the_key_on_the_page() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    assert!(FORMAT.contains(key) && is_told(r#"{"timestamp":1}"#));
    let sealed = rows("| compressed, encrypted | bytes |");
    assert_eq!(sealed.len(), 3);
    for row in sealed {
        let mut env = Env::new();
        if row[1].contains("zlib") {
            env.set("COMPRESSOR_TOPIC", "zlib");
        }
        if row[1].contains("AES") {
            env.set("CIPHER_TOPIC", "aes");
            env.set("CIPHER_KEY", key);
        }
        let bytes = |at: usize| u8::from_str_radix(&row[2][at..at + 2], 16).expect("a byte");
        let state: Vec<u8> = (0..row[2].len()).step_by(2).map(bytes).collect();
        let problem = |state: Vec<u8>| {
            let mapper = Mapper::new(&env).expect("a mapper");
            let stored = StoredEvent::new(Uuid::nil(), 2, "dogschool:Counter.Incremented", state);
            let event = mapper.decode::<<Counter as Aggregate>::Event>(&stored);
            event.expect_err("it is no event").to_string()
        };
        let damaged = [&state[..], &[0]].concat();
        assert!(problem(state).contains("field `timestamp`"), "{row:?}");
        assert!(!problem(damaged).contains("field `timestamp`"), "{row:?}");
    }
}
