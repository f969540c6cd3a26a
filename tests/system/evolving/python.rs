//! The rows that the Python library has stored in every version: one dog by each of the four
//! programs.

use es_system::EventQuery;
use es_system::prelude::*;
use tests::evolving::{DogSchool, check, teach, v4};

use super::text;
use crate::fixtures::{copy, without_time};
use crate::snapshots::execute;

const NAMES: [&str; 4] = ["One", "Two", "Three", "Four"];

fn env(dir: &tempfile::TempDir) -> Env {
    let file = copy("evolving-dogschool.sqlite", dir.path());
    Env::new()
        .with("PERSISTENCE_MODULE", "eventsourcing.sqlite")
        .with("SQLITE_DBNAME", file.to_string_lossy())
}

#[test]
fn events_and_snapshots_that_python_stored_in_every_version_are_read() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = env(&dir);
    let without = env.clone().with("IS_SNAPSHOTTING_ENABLED", "n");
    let check_all = |env: &Env| {
        (1..).zip(NAMES).try_for_each(|(version, name)| {
            let school = DogSchool::new(env.clone())?;
            let dog = school.repository().get(v4::Dog::create_id(name))?;
            check(&dog, version, name);
            Ok::<_, Error>(())
        })
    };
    check_all(&without)?;
    // No event up to the snapshot is left.
    execute(
        &dir.path().join("evolving-dogschool.sqlite"),
        "UPDATE stored_events SET state = x'00' WHERE originator_version <= 2",
    );
    check_all(&env)?;
    check_all(&without).expect_err("the events are needed");
    Ok(())
}

/// Returns a state with `…` in place of each time: its own, and the two of a snapshot's aggregate.
fn without_times(state: &str) -> String {
    let mut parts = state.split(r#"{"_type_":"datetime_iso","#);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + &without_time(part))
}

#[test]
fn a_row_of_every_version_is_what_python_writes_byte_for_byte() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let theirs = DogSchool::new(env(&dir))?;
    for (version, name) in (1..).zip(NAMES) {
        let ours = DogSchool::new(Env::new())?;
        teach(&ours, name, version)?;
        let rows = |school: &DogSchool| -> Result<Vec<(String, String)>> {
            let recorder = school.recorder()?;
            let id = v4::Dog::create_id(name).into();
            let all = EventQuery::all();
            let events = recorder.select_events(&id, &all).expect("events");
            let snapshots = recorder.select_snapshots(&id, &all).expect("one");
            let rows = events.iter().chain(&snapshots);
            Ok(rows
                .map(|row| (row.topic.to_string(), without_times(&text(row))))
                .collect())
        };
        let theirs = rows(&theirs)?;
        let ours = rows(&ours)?;
        assert_eq!((theirs.len(), theirs), (4, ours));
    }
    Ok(())
}
