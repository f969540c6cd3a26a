//! Saves of unknown outcome, of applications that are followed and of followers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use es_system::prelude::*;
use es_system::store::{Head, ProcessRecorder, Recorded, Recording, StoreError};
use es_system::testing::{Call, FaultyStores, Moment};
use tests::domain::{Counter, CounterCreated, Counters, Dog, DogSchool};
use tests::files;
use tests::wrapped::{Around, Wrapping};

use super::doubt_of;

#[test]
fn settling_has_the_followers_of_a_single_threaded_runner_process_it() -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = Env::new().with_store(stores.clone());
    let mut runner = SingleThreadedRunner::new(&System::new(pipes![[DogSchool, Counters]])?, env)?;
    runner.start()?;
    let mut billy = Dog::register("Billy");
    billy.add_trick("sit");
    let unknown = StoreError::outcome_unknown("faulty", "the answer was lost");
    let store = stores.get("DogSchool").expect("it is open");
    store.fail(Call::Record, 1, Moment::After, unknown);
    doubt_of(runner.get::<DogSchool>()?.save(&mut billy)).settle()?;
    assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 1);
    Ok(())
}

/// Counts the counters.
#[process_application]
pub(super) struct Total;

#[process_application]
impl Total {
    #[policy(Counter::Created)]
    fn count(&self, _: &DomainEvent<CounterCreated>, pe: &mut ProcessingEvent) -> Result<()> {
        pe.collect_events(&mut Counter::new("all"));
        Ok(())
    }
}

/// The batch was recorded, and the store can then not be read for a while.
#[test]
fn a_batch_whose_answer_was_lost_is_counted_once_though_its_store_is_away_afterwards() -> Result<()>
{
    let stores = Arc::new(FaultyStores::in_memory());
    let env = Env::new().with_store(stores.clone());
    let system = System::new(pipes![[DogSchool, Counters, Total]])?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    runner.start()?;
    let store = stores.get("Counters").expect("it is open");
    let unknown = StoreError::outcome_unknown("faulty", "the answer was lost");
    store.fail(Call::Record, 1, Moment::After, unknown);
    // The follower reads its position, and others read its head.
    for nth in 2..=4 {
        let away = StoreError::driver("faulty", "reading", "nobody is there");
        store.fail(Call::Followed, nth, Moment::Before, away.clone());
        store.fail(Call::Head, nth, Moment::Before, away);
    }
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 1);
    assert_eq!(runner.get::<Total>()?.notification_log().head()?, 1);
    Ok(())
}

#[test]
fn a_runner_that_is_dropped_leaves_a_doubt_as_it_was() -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = Env::new().with_store(stores.clone());
    let system = System::new(pipes![[DogSchool, Counters]])?;
    let mut runner = MultiThreadedRunner::new(&system, env.clone())?;
    runner.start()?;
    let mut billy = Dog::register("Billy");
    billy.add_trick("sit");
    let unknown = StoreError::outcome_unknown("faulty", "the answer was lost");
    let store = stores.get("DogSchool").expect("it is open");
    store.fail(Call::Record, 1, Moment::Before, unknown);
    let doubt = doubt_of(runner.get::<DogSchool>()?.save(&mut billy));
    drop(runner);
    doubt.settle()?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    runner.start()?;
    assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 1);
    Ok(())
}

/// A store whose first record takes place later than its answer: after the next look at the head.
#[derive(Default)]
struct Late {
    was_first: AtomicBool,
    recording: Mutex<Option<Recording>>,
    /// The work of another process at that moment.
    meanwhile: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Around for Late {
    fn record(
        &self,
        recorder: &dyn ProcessRecorder,
        recording: &Recording,
    ) -> std::result::Result<Recorded, StoreError> {
        if self.was_first.swap(true, Ordering::SeqCst) {
            return recorder.record(recording);
        }
        *self.recording.lock().expect("no panic") = Some(recording.clone());
        let unknown = StoreError::outcome_unknown("late", "the answer was lost");
        Err(unknown)
    }

    fn head(
        &self,
        recorder: &dyn ProcessRecorder,
    ) -> std::result::Result<Option<Head>, StoreError> {
        let head = recorder.head();
        if let Some(late) = self.recording.lock().expect("no panic").take() {
            recorder.record(&late)?;
            self.meanwhile.iter().for_each(|act| act());
        }
        head
    }
}

#[test]
fn a_batch_that_is_recorded_after_its_answer_was_lost_is_followed_by_the_same_command() -> Result<()>
{
    let env = Env::new().with("SQLITE_DBNAME", ":memory:");
    let env = env.with_store(Arc::new(Wrapping {
        application: "Counters",
        around: Arc::new(Late::default()),
    }));
    let system = System::new(pipes![[DogSchool, Counters, Total]])?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    let mut billy = Dog::register("Billy");
    billy.add_trick("sit");
    school.save(&mut billy)?;
    assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 1);
    assert_eq!(runner.get::<Total>()?.notification_log().head()?, 1);
    Ok(())
}

/// The attempt that finds out what was recorded has something to do itself, and records no event.
#[test]
fn a_doubt_that_ends_with_a_batch_without_events_is_followed_by_the_same_command() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let another = DogSchool::new(files(dir.path()))?;
    let late = Late {
        meanwhile: Some(Box::new(move || {
            another.register_dog("Rex").expect("it is saved");
        })),
        ..Late::default()
    };
    let total = dir.path().join("Total.sqlite");
    let env = files(dir.path()).with("TOTAL_SQLITE_DBNAME", total.to_string_lossy());
    let env = env.with_store(Arc::new(Wrapping {
        application: "Counters",
        around: Arc::new(late),
    }));
    let system = System::new(pipes![[DogSchool, Counters, Total]])?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    runner.start()?;
    let mut billy = Dog::register("Billy");
    billy.add_trick("sit");
    runner.get::<DogSchool>()?.save(&mut billy)?;
    assert_eq!(runner.get::<Counters>()?.position_in("DogSchool")?, Some(3));
    assert_eq!(runner.get::<Total>()?.notification_log().head()?, 1);
    Ok(())
}
