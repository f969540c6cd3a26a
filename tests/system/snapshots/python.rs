//! Snapshots that the Python library has taken, and those that are taken for it to read.

use es_system::Application;
use es_system::prelude::*;
use tests::domain::{Counter, Counters, Dog, DogSchool};

use super::{execute, snapshots};
use crate::fixtures::{python_sealed, python_wrote, without_time};

#[test]
fn snapshots_that_python_took_are_used_in_place_of_the_events_before() -> Result<()> {
    reads_snapshots("plain", python_wrote, "2026-11-21T21:43:45.590367+00:00")?;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let sealed = DogSchool::new(python_sealed(dir.path()))?;
    let created_on = sealed.get_dog("Billy")?.created_on().to_string();
    reads_snapshots("sealed", python_sealed, &created_on)
}

fn reads_snapshots(run: &str, env: fn(&std::path::Path) -> Env, created_on: &str) -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = env(dir.path());
    let damage = |name, id, up_to| {
        execute(
            &dir.path().join(format!("{run}-{name}.sqlite")),
            &format!(
                "UPDATE stored_events SET state = x'00' WHERE originator_id = '{id}' AND originator_version <= {up_to}"
            ),
        );
    };
    damage("dogschool", "ee4f99b5a35654a9b61a13b59c26f3fb", 4);
    damage("counters", "e951d9c082775b659370ca0538708552", 3);
    let school = DogSchool::new(env.clone())?;
    let billy = school.get_dog("Billy")?;
    assert_eq!((billy.name.as_str(), billy.version()), ("Billy", 4));
    assert_eq!(billy.tricks, ["roll over", "fetch ball", "play dead"]);
    assert_eq!(billy.created_on().to_string(), created_on);
    assert!(billy.modified_on() > billy.created_on());
    school.add_trick("Billy", "sit")?;
    assert_eq!(school.get_dog("Billy")?.version(), 5);
    assert_eq!(Counters::new(env.clone())?.get_count("roll over")?, 3);

    let off = env.with("IS_SNAPSHOTTING_ENABLED", "n");
    let error = DogSchool::new(off)?
        .get_dog("Billy")
        .expect_err("an event is damaged");
    assert_eq!(error.kind(), ErrorKind::BadData);
    Ok(())
}

#[test]
fn a_snapshot_is_what_python_writes_byte_for_byte() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = python_wrote(dir.path());
    let row = |application: &Application, id: Uuid| {
        let [snapshot] = &snapshots(application, id)[..] else {
            panic!("there is one snapshot")
        };
        let state = without_time(&String::from_utf8_lossy(&snapshot.state));
        (
            snapshot.originator_version,
            snapshot.topic.clone(),
            state,
            snapshot.state.len(),
        )
    };
    let school = DogSchool::new(env.clone())?;
    let counters = Counters::new(env)?;
    let billy = Dog::create_id("Billy");
    let roll_over = Counter::create_id("roll over");
    let theirs = [row(&school, billy), row(&counters, roll_over)];
    for file in ["plain-dogschool.sqlite", "plain-counters.sqlite"] {
        execute(&dir.path().join(file), "DELETE FROM stored_snapshots");
    }
    for from in ["the events", "a snapshot"] {
        school.take_snapshot::<Dog>(billy, 4)?;
        counters.take_snapshot::<Counter>(roll_over, 3)?;
        let ours = [row(&school, billy), row(&counters, roll_over)];
        assert_eq!(ours, theirs, "from {from}");
    }
    Ok(())
}
