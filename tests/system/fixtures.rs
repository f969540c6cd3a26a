//! Databases that the Python library has written.

use std::path::{Path, PathBuf};

use es_system::prelude::*;
use rusqlite::{Connection, OpenFlags};
use tests::domain::{Counter, Counters, Dog, DogSchool};

/// A stored event without its time: position, id, version, topic, state.
type Row = (i64, String, i64, String, String);

/// Returns the events in a file, without their times.
pub(crate) fn events_of(file: &Path) -> Vec<Row> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let connection = connection.expect("the file is there");
    let sql = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events ORDER BY rowid";
    let mut statement = connection.prepare(sql).expect("the table is there");
    let row = |row: &rusqlite::Row<'_>| {
        let state: Vec<u8> = row.get(4)?;
        let state = without_time(&String::from_utf8_lossy(&state));
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, state))
    };
    statement
        .query_map([], row)
        .expect("rows")
        .collect::<Result<_, _>>()
        .expect("readable rows")
}

pub(crate) fn without_time(state: &str) -> String {
    let (before, rest) = state.split_once(r#""_data_":""#).expect("a timestamp");
    let (time, after) = rest.split_once('"').expect("a closing quote");
    assert!(time.parse::<Timestamp>().is_ok(), "{time}");
    format!(r#"{before}"_data_":"…"{after}"#)
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/python")
        .join(name)
}

/// Returns the events in a file that Python has written.
pub(crate) fn fixture_events(name: &str) -> Vec<Row> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    events_of(&copy(name, dir.path()))
}

/// Copies a fixture, because opening a database may write beside it.
pub(crate) fn copy(name: &str, dir: &Path) -> PathBuf {
    let to = dir.join(name);
    let bytes = std::fs::read(fixture(name)).expect("the fixture is there");
    std::fs::write(&to, bytes).expect("the folder can be written");
    to
}

/// Returns an environment on copies of the plain fixtures.
pub(crate) fn python_wrote(dir: &Path) -> Env {
    on_copies("plain", dir)
}

/// Returns an environment on copies of the fixtures that are compressed and encrypted, with their
/// key: the bytes 0 to 31.
pub(crate) fn python_sealed(dir: &Path) -> Env {
    on_copies("sealed", dir)
        .with(
            "COMPRESSOR_TOPIC",
            "eventsourcing.compressor:ZlibCompressor",
        )
        .with("CIPHER_TOPIC", "eventsourcing.cipher:AESCipher")
        .with("CIPHER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
}

fn on_copies(run: &str, dir: &Path) -> Env {
    let file = |name| {
        let copy = copy(&format!("{run}-{name}.sqlite"), dir);
        copy.to_string_lossy().into_owned()
    };
    Env::new()
        .with("PERSISTENCE_MODULE", "eventsourcing.sqlite")
        .with("DOGSCHOOL_SQLITE_DBNAME", file("dogschool"))
        .with("COUNTERS_SQLITE_DBNAME", file("counters"))
}

const SOREN: &str = "Søren \"Ünï\" 🐕";
const SPIN: &str = "spin\n\t\\ \u{2028} \u{7f} \u{1}";

/// Checks that every aggregate of a run is in the state that Python has stored.
fn check_aggregates(env: Env) -> Result<()> {
    let school = DogSchool::new(env.clone())?;
    let tricks: [(&str, &[&str]); 4] = [
        ("Billy", &["roll over", "fetch ball", "play dead"]),
        ("Milly", &["roll over", "fetch ball"]),
        ("Scrappy", &["roll over"]),
        (SOREN, &[SPIN]),
    ];
    for (name, tricks) in tricks {
        let dog = school.get_dog(name)?;
        assert_eq!(
            (dog.name.as_str(), dog.version()),
            (name, tricks.len() as u64 + 1)
        );
        assert_eq!(dog.tricks, tricks);
    }
    let counters = Counters::new(env)?;
    for (trick, count) in [
        ("roll over", 3),
        ("fetch ball", 2),
        ("play dead", 1),
        (SPIN, 1),
    ] {
        assert_eq!(counters.get_count(trick)?, count);
    }
    Ok(())
}

/// Checks that a system of a run continues after position 11.
fn check_system<R: Runner>(env: Env) -> Result<()> {
    let mut runner = R::new(&System::new(pipes![[DogSchool, Counters]])?, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    let counters = runner.get::<Counters>()?;
    assert_eq!(counters.position_in("DogSchool")?, Some(11));
    school.add_trick("Milly", "play dead")?;
    school.add_trick(SOREN, SPIN)?;
    runner.wait_until_idle(tests::PATIENCE)?;
    assert_eq!(counters.position_in("DogSchool")?, Some(13));
    for (trick, count) in [
        ("roll over", 3),
        ("fetch ball", 2),
        ("play dead", 2),
        (SPIN, 2),
    ] {
        assert_eq!(counters.get_count(trick)?, count);
    }
    let counter: Counter = counters.repository().get(Counter::create_id(SPIN))?;
    assert_eq!(counter.version(), 3);
    runner.stop()
}

/// Checks systems with both runners, each on fresh copies.
fn check_systems(env: fn(&Path) -> Env) -> Result<()> {
    let dir = || tempfile::tempdir().expect("a temporary folder");
    let single = dir();
    let multi = dir();
    check_system::<SingleThreadedRunner>(env(single.path()))?;
    check_system::<MultiThreadedRunner>(env(multi.path()))
}

#[test]
fn every_aggregate_that_python_wrote_is_read() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = python_wrote(dir.path());
    check_aggregates(env.clone())?;
    let billy: Dog = DogSchool::new(env)?.get_dog("Billy")?;
    assert_eq!(
        billy.created_on().to_string(),
        "2026-11-21T21:43:45.590367+00:00"
    );
    Ok(())
}

#[test]
fn every_aggregate_that_python_compressed_and_encrypted_is_read_with_its_key() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    check_aggregates(python_sealed(dir.path()))
}

#[test]
fn a_system_goes_on_with_the_databases_that_python_wrote() -> Result<()> {
    check_systems(python_wrote)
}

#[test]
fn a_system_goes_on_with_the_databases_that_python_compressed_and_encrypted() -> Result<()> {
    check_systems(python_sealed)
}

#[test]
fn a_state_that_python_has_compressed_and_encrypted_is_an_error_and_not_a_panic() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = copy("sealed-dogschool.sqlite", dir.path());
    let env = Env::new()
        .with("PERSISTENCE_MODULE", "sqlite")
        .with("SQLITE_DBNAME", file.to_string_lossy());
    let error = DogSchool::new(env)?
        .get_dog("Billy")
        .expect_err("it cannot be read");
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(
        error.to_string().contains("dogschool:Dog.Registered"),
        "{error}"
    );
    Ok(())
}
