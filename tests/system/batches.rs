//! Batches: where they end, and what the next one begins with.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;

use es_system::prelude::*;
use es_system::store::{NotificationQuery, ProcessRecorder, Recorded, Recording, StoreError};
use es_system::testing::{Call, FaultyRecorder, FaultyStores, Moment};
use tests::domain::{Dog, DogSchool, DogTrickAdded};
use tests::wrapped::{Around, Wrapping};
use tests::{PATIENCE, files};

/// A trick of which three end a batch by their bytes.
static LARGE: LazyLock<String> = LazyLock::new(|| "x".repeat(3 * 1024 * 1024));

/// Records a large event for each trick.
#[process_application]
pub struct Kennel;

#[process_application]
impl Kennel {
    #[policy(Dog::TrickAdded)]
    fn copy(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        if event.trick == "fail" {
            Err(Error::Usage("a trick that is not taught".to_owned()))?;
        }
        let mut dog = Dog::register(&format!("{} of {}", event.trick, event.notification_id));
        dog.add_trick(&LARGE);
        processing_event.collect_events(&mut dog);
        Ok(())
    }
}

impl Kennel {
    /// Returns the name of each dog that was registered, in their order.
    fn copies(&self) -> Result<Vec<String>> {
        let registered = NotificationQuery::all().topics(["dogschool:Dog.Registered"]);
        let copies = self.notification_log().query(&registered)?;
        let name = |state: &[u8]| {
            let text = String::from_utf8_lossy(state);
            let name = text.split("\"name\":\"").nth(1).unwrap_or_default();
            name.split('"').next().unwrap_or_default().to_owned()
        };
        Ok(copies.iter().map(|copy| name(&copy.state)).collect())
    }
}

fn system() -> Result<System> {
    System::new(pipes![[DogSchool, Kennel]])
}

/// Saves a dog with this number of tricks.
fn taught(school: &DogSchool, tricks: usize) -> Result<()> {
    let mut dog = Dog::register("Billy");
    (0..tricks).for_each(|_| dog.add_trick("sit"));
    school.save(&mut dog)?;
    Ok(())
}

fn expected(tricks: usize) -> Vec<String> {
    (2..2 + tricks)
        .map(|position| format!("sit of {position}"))
        .collect()
}

fn store(stores: &FaultyStores, application: &str) -> Arc<FaultyRecorder> {
    stores.get(application).expect("it is open")
}

#[test]
fn a_batch_ends_when_its_new_events_are_large_and_the_next_reads_no_event_again() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let stores = Arc::new(FaultyStores::in_memory());
        let mut runner = R::new(&system()?, Env::new().with_store(stores.clone()))?;
        taught(&*runner.get::<DogSchool>()?, 7)?;
        let (school, kennel) = (store(&stores, "DogSchool"), store(&stores, "Kennel"));
        let (pages, records) = (school.calls(Call::SelectPage), kennel.calls(Call::Record));
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        runner.stop()?;
        assert!(kennel.calls(Call::Record) - records >= 3);
        assert_eq!(school.calls(Call::SelectPage) - pages, 1);
        assert_eq!(runner.get::<Kennel>()?.copies()?, expected(7));
        Ok(())
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

#[test]
fn after_a_failure_the_events_are_read_again() -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = Env::new().with_store(stores.clone());
    let mut runner = SingleThreadedRunner::new(&system()?, env)?;
    taught(&*runner.get::<DogSchool>()?, 7)?;
    let (school, kennel) = (store(&stores, "DogSchool"), store(&stores, "Kennel"));
    let before = school.calls(Call::SelectPage);
    // The first one records where the follower begins.
    for failing in [2, 4] {
        let error = StoreError::read_only("faulty", "a save");
        kennel.fail(Call::Record, failing, Moment::Before, error);
    }
    runner.start()?;
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(school.calls(Call::SelectPage) - before, 3);
    assert_eq!(runner.get::<Kennel>()?.copies()?, expected(7));
    Ok(())
}

#[test]
fn a_failing_event_behind_large_ones_stops_the_follower_in_front_of_it() -> Result<()> {
    let mut runner = SingleThreadedRunner::new(&system()?, Env::new())?;
    let mut dog = Dog::register("Billy");
    (0..5).for_each(|_| dog.add_trick("sit"));
    dog.add_trick("fail");
    dog.add_trick("sit");
    runner.get::<DogSchool>()?.save(&mut dog)?;
    runner.start()?;
    let error = runner.wait_until_idle(PATIENCE).expect_err("it fails");
    assert!(error.to_string().contains("position 7"), "{error}");
    let kennel = runner.get::<Kennel>()?;
    assert_eq!(kennel.copies()?, expected(5));
    assert_eq!(kennel.position_in("DogSchool")?, Some(6));
    Ok(())
}

/// After the first batch of the follower, another runner processes all events that are left.
struct Overtaken {
    files: Env,
    is_over: AtomicBool,
}

impl Around for Overtaken {
    fn record(
        &self,
        recorder: &dyn ProcessRecorder,
        recording: &Recording,
    ) -> std::result::Result<Recorded, StoreError> {
        let recorded = recorder.record(recording)?;
        let is_batch = !recording.trackings.is_empty();
        if is_batch && !self.is_over.swap(true, Ordering::SeqCst) {
            let system = system().expect("a system");
            let mut other =
                SingleThreadedRunner::new(&system, self.files.clone()).expect("another runner");
            other.start().expect("it starts");
            other.wait_until_idle(PATIENCE).expect("it ends");
        }
        Ok(recorded)
    }
}

#[test]
fn what_is_left_of_a_page_is_dropped_if_another_instance_has_processed_it() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let files = files(dir.path()).with(
        "KENNEL_SQLITE_DBNAME",
        dir.path().join("kennel.sqlite").to_string_lossy(),
    );
    let around = Arc::new(Overtaken {
        files: files.clone(),
        is_over: AtomicBool::new(false),
    });
    let stores = Wrapping {
        application: "Kennel",
        around: around.clone(),
    };
    let env = files.with_store(Arc::new(stores));
    let mut runner = SingleThreadedRunner::new(&system()?, env)?;
    taught(&*runner.get::<DogSchool>()?, 7)?;
    runner.start()?;
    runner.wait_until_idle(PATIENCE)?;
    assert!(around.is_over.load(Ordering::SeqCst));
    assert_eq!(runner.get::<Kennel>()?.copies()?, expected(7));
    runner.get::<DogSchool>()?.add_trick("Billy", "sit")?;
    assert_eq!(runner.get::<Kennel>()?.copies()?, expected(8));
    // Policies did not run for what was left, which the record would have refused.
    assert_eq!(runner.status()[0].edges[0].conflicts, 0);
    Ok(())
}

/// A read model whose handler takes a third of the time of a batch.
#[projection]
struct Slow;

#[projection]
impl Slow {
    fn tables(_: &mut Transaction<'_>) -> Result<()> {
        Ok(())
    }

    #[policy(Dog::TrickAdded)]
    fn work(&self, _: &DomainEvent<DogTrickAdded>, _: &mut Transaction<'_>) -> Result<()> {
        thread::sleep(Duration::from_millis(70));
        Ok(())
    }
}

/// Counts the pages that are read.
#[derive(Default)]
struct Pages(AtomicUsize);

impl Around for Pages {
    fn before_select_notifications(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_projection_and_its_rebuild_read_no_event_again_when_a_batch_takes_long() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let around = Arc::new(Pages::default());
    let stores = Wrapping {
        application: "DogSchool",
        around: around.clone(),
    };
    let slow = dir.path().join("slow.sqlite");
    let env = files(dir.path()).with("SLOW_SQLITE_DBNAME", slow.to_string_lossy());
    let env = env.with_store(Arc::new(stores));
    let system = System::new(pipes![[DogSchool, Slow]])?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    taught(&*runner.get::<DogSchool>()?, 7)?;
    runner.rebuild::<Slow>(|_| {})?;
    assert_eq!(around.0.swap(0, Ordering::SeqCst), 1);
    let school = runner.get::<DogSchool>()?;
    (0..7).try_for_each(|_| school.add_trick("Billy", "sit"))?;
    runner.start()?;
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(around.0.load(Ordering::SeqCst), 1);
    runner.stop()
}
