//! The policies of a follower see what others save to its application.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use es_system::AggregateId;
use es_system::prelude::*;
use es_system::store::{Notification, ProcessRecorder, Recorded, Recording, StoreError};
use tests::domain::DogSchool;
use tests::library::{Book, Library, Rate};
use tests::wrapped::{Around, Wrapping};
use tests::{PATIENCE, files, places};

use super::{Flow, lines};

#[test]
fn a_policy_decides_by_what_was_saved_before_its_event() -> Result<()> {
    for place in places() {
        let system = System::new(pipes![[DogSchool, Library]])?;
        let mut runner = SingleThreadedRunner::new(&system, place.env.clone())?;
        runner.start()?;
        let (school, library) = (runner.get::<DogSchool>()?, runner.get::<Library>()?);
        school.register_dog("Billy")?;
        for round in 1..=20 {
            library.set_rate("red", round)?;
            school.add_trick("Billy", &format!("red {round}"))?;
            school.add_trick("Billy", &format!("red {round}"))?;
        }
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(library.lines("red")?, lines(2..=41), "{}", place.name);
    }
    Ok(())
}

#[test]
fn what_another_process_saves_is_seen_too() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let system = System::new(pipes![[DogSchool, Library]])?;
    let mut runner = SingleThreadedRunner::new(&system, files(dir.path()))?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    let other = Library::new(files(dir.path()))?;
    for round in 1..=20 {
        other.set_rate("red", round)?;
        other.add_line("red", "by another")?;
        school.add_trick("Billy", &format!("red {round}"))?;
        school.add_trick("Billy", &format!("red {round}"))?;
    }
    runner.wait_until_idle(PATIENCE)?;
    let conflicts: u64 = runner.status()[0]
        .edges
        .iter()
        .map(|edge| edge.conflicts)
        .sum();
    assert_eq!(conflicts, 0, "no batch began with an old book");
    let by_policies = other.lines("red")?;
    let by_policies = by_policies.into_iter().filter(|line| line != "by another");
    assert_eq!(by_policies.collect::<Vec<_>>(), lines(2..=41));
    Ok(())
}

#[test]
fn what_others_save_is_seen_however_many_events_it_has() -> Result<()> {
    let flow = Flow::start(Env::new())?;
    for round in 1..4 {
        flow.library.set_rate("red", round)?;
        flow.teach(&format!("red {round}"))?;
        for number in 0..1_100 {
            let mut book = Book::open(&format!("{round} {number}"));
            flow.library.save(&mut book)?;
        }
    }
    flow.library.set_rate("red", 9)?;
    flow.teach("red 9")?;
    assert_eq!(flow.library.lines("red")?.len(), 4);
    Ok(())
}

/// The control: a look at the library's own log finds no rate that was set.
struct OverlooksRates;

impl Around for OverlooksRates {
    fn after_select_notifications(&self, mut found: Vec<Notification>) -> Vec<Notification> {
        let rate = AggregateId::from(Rate::create_id("red"));
        found.retain(|event| event.originator_id != rate);
        found
    }
}

/// A batch is acknowledged, and nothing of it is recorded, as if it had been lost at once.
#[derive(Default)]
struct RecordsNothingOnce(AtomicBool);

impl Around for RecordsNothingOnce {
    fn record(
        &self,
        recorder: &dyn ProcessRecorder,
        recording: &Recording,
    ) -> Result<Recorded, StoreError> {
        let is_batch = !recording.trackings.is_empty() && !recording.events.is_empty();
        if is_batch && !self.0.swap(true, Ordering::SeqCst) {
            // Not the next positions, which the log would turn out to lack.
            let positions = (1_000..).take(recording.events.len());
            return Ok(Recorded::new(positions.collect()));
        }
        recorder.record(recording)
    }
}

/// Sets the rate and teaches, in turn, with a behaviour around the library's recorder.
fn set_and_teach<A: Around>(around: A) -> Result<(), Error> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let stores = Wrapping {
        application: "Library",
        around: Arc::new(around),
    };
    let env = files(dir.path()).with_store(Arc::new(stores));
    let system = System::new(pipes![[DogSchool, Library]])?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    runner.start()?;
    let (school, library) = (runner.get::<DogSchool>()?, runner.get::<Library>()?);
    school.register_dog("Billy")?;
    library.add_line("red", "by a command")?;
    for round in 1..=3 {
        library.set_rate("red", round)?;
        school.add_trick("Billy", &format!("red {round}"))?;
    }
    runner.wait_until_idle(PATIENCE)
}

#[test]
fn the_control_that_does_not_look_at_its_own_log_decides_by_an_old_aggregate() {
    let error = set_and_teach(OverlooksRates).expect_err("it is too old");
    assert!(error.to_string().contains("was seen as"), "{error}");
}

#[test]
fn a_batch_that_was_acknowledged_and_is_lost_leaves_no_gap() -> Result<()> {
    set_and_teach(RecordsNothingOnce::default())
}

/// Removes the events of the library from `position` on, as if they had been lost.
fn lose(dir: &Path, position: u64) {
    let file = rusqlite::Connection::open(dir.join("Library.sqlite")).expect("the file is there");
    let lost = "DELETE FROM stored_events WHERE rowid >= ?1";
    file.execute(lost, [position.cast_signed()]).expect("lost");
}

#[test]
fn when_the_log_has_lost_its_end_nothing_that_is_lost_is_used() -> Result<()> {
    for is_written_again in [false, true] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let system = System::new(pipes![[DogSchool, Library]])?;
        let mut runner = SingleThreadedRunner::new(&system, files(dir.path()))?;
        runner.start()?;
        let (school, library) = (runner.get::<DogSchool>()?, runner.get::<Library>()?);
        school.register_dog("Billy")?;
        library.set_rate("red", 1)?;
        school.add_trick("Billy", "red")?;
        library.set_rate("red", 7)?;
        let lost = library.notification_log().head()?;
        school.add_trick("Billy", "red 7")?;
        lose(dir.path(), lost);
        if is_written_again {
            for title in ["blue", "green", "black"] {
                library.add_line(title, "by a command")?;
            }
        }
        school.add_trick("Billy", "red 7")?;
        let error = runner
            .wait_until_idle(PATIENCE)
            .expect_err("the rate is lost");
        let seen = "the rate red is 7, and was seen as 1";
        assert!(error.to_string().contains(seen), "{error}");
        let rate: Rate = library.repository().get(Rate::create_id("red"))?;
        assert_eq!(rate.value, 1);
    }
    Ok(())
}
