//! A follower keeps aggregates in memory from batch to batch, and nothing else shows it than the
//! time that it saves.

mod beside;
mod bounds;
mod drops;
mod odd;
mod origins;
mod others;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use es_system::prelude::*;
use es_system::store::{ProcessRecorder, Recorded, Recording, StoreError};
use es_system::testing::{Call, FaultyRecorder, FaultyStores, Moment};
use tests::domain::{Counter, Counters, Dog, DogSchool, DogTrickAdded};
use tests::library::{Book, Library};
use tests::wrapped::{Around, Wrapping};
use tests::{PATIENCE, files, torture};

/// A runner of the school and the library, and the stores of both.
struct Flow {
    runner: SingleThreadedRunner,
    school: Arc<DogSchool>,
    library: Arc<Library>,
    store: Arc<FaultyRecorder>,
}

impl Flow {
    fn start(env: Env) -> Result<Self> {
        let stores = Arc::new(FaultyStores::in_memory());
        let system = System::new(pipes![[DogSchool, Library]])?;
        let mut runner = SingleThreadedRunner::new(&system, env.with_store(stores.clone()))?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        school.register_dog("Billy")?;
        Ok(Self {
            school,
            library: runner.get()?,
            store: stores.get("Library").expect("it is open"),
            runner,
        })
    }

    /// Teaches a trick, which the library processes in a batch of its own.
    fn teach(&self, trick: &str) -> Result<()> {
        self.school.add_trick("Billy", trick)
    }

    fn reads(&self) -> u64 {
        self.store.calls(Call::SelectEvents)
    }
}

/// Returns the lines that a policy has written for these positions.
fn lines(positions: impl IntoIterator<Item = u64>) -> Vec<String> {
    positions.into_iter().map(|at| at.to_string()).collect()
}

#[test]
fn a_state_that_cannot_be_cloned_is_read_once_for_all_batches() -> Result<()> {
    let flow = Flow::start(Env::new())?;
    flow.teach("red")?;
    let before = flow.reads();
    (0..40).try_for_each(|_| flow.teach("red"))?;
    // The rate does not exist, so each batch looks for it.
    assert_eq!(flow.reads() - before, 40);
    flow.library.set_rate("red", 1)?;
    flow.teach("red")?;
    let before = flow.reads();
    (0..40).try_for_each(|_| flow.teach("red 1"))?;
    assert_eq!(flow.reads() - before, 0);
    assert_eq!(flow.library.lines("red")?, lines(2..=83));
    Ok(())
}

#[test]
fn a_state_of_many_strings_is_not_read_again_within_a_batch_or_for_the_next() -> Result<()> {
    let flow = Flow::start(Env::new())?;
    flow.library.set_rate("red", 0)?;
    let mut book = Book::open("red");
    let count = 100_000 * torture();
    let line = "a line of the book that is as long as others".to_owned();
    (0..count / 1_000).for_each(|_| book.add_lines(&vec![line.clone(); 1_000]));
    flow.library.save(&mut book)?;
    flow.teach("red")?;
    let before = flow.reads();
    let mut dog = flow.school.get_dog("Billy")?;
    (0..2_500).for_each(|_| dog.add_trick("red"));
    flow.school.save(&mut dog)?;
    flow.teach("red")?;
    assert_eq!(flow.reads() - before, 0);
    assert_eq!(flow.library.lines("red")?.len(), count + 2_502);
    Ok(())
}

#[test]
fn of_more_aggregates_than_are_kept_the_last_used_ones_are_kept() -> Result<()> {
    let flow = Flow::start(Env::new())?;
    let reads = |title: &str| -> Result<u64> {
        let before = flow.reads();
        flow.teach(title)?;
        // One look for the rate, which does not exist, is not counted.
        Ok(flow.reads() - before - 1)
    };
    let mut dog = flow.school.get_dog("Billy")?;
    (0..1_010).for_each(|number| dog.add_trick(&format!("book{number}")));
    flow.school.save(&mut dog)?;
    assert_eq!([reads("book1009")?, reads("book500")?], [0, 0]);
    assert_eq!([reads("book0")?, reads("book0")?], [1, 0]);
    Ok(())
}

/// A state that is small, however long its events are.
#[aggregate]
#[derive(Serialize, Deserialize)]
struct Length {
    letters: usize,
}

#[aggregate(vis = pub(crate))]
impl Length {
    #[id]
    fn create_id(of: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, of.as_bytes())
    }

    #[event(Created)]
    fn create(of: &str) -> Self {
        let _ = of;
        Self { letters: 0 }
    }

    #[event(TextAdded)]
    fn add_text(&mut self, text: &str) {
        self.letters += text.len();
    }
}

/// Adds up the length of the text that each trick names.
#[process_application]
struct Lengths;

#[process_application]
impl Lengths {
    #[policy(Dog::TrickAdded)]
    fn add(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let mut length: Length = self.repository().get(Length::create_id(&event.trick))?;
        length.add_text("x");
        processing_event.collect_events(&mut length);
        Ok(())
    }
}

#[test]
fn a_small_state_of_many_large_events_leaves_room_for_others() -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = Env::new().with_store(stores.clone());
    let system = System::new(pipes![[DogSchool, Lengths]])?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    let (school, lengths) = (runner.get::<DogSchool>()?, runner.get::<Lengths>()?);
    // The events of each are more than the bytes of all that are kept.
    let tricks = ["sit", "beg", "roll over"];
    for trick in tricks {
        let mut length = Length::create(trick);
        (0..3).for_each(|_| length.add_text(&"x".repeat(6 * 1024 * 1024)));
        lengths.save(&mut length)?;
    }
    runner.start()?;
    school.register_dog("Billy")?;
    let teach = || {
        tricks
            .iter()
            .try_for_each(|trick| school.add_trick("Billy", trick))
    };
    teach()?;
    let store = stores.get("Lengths").expect("it is open");
    let before = store.calls(Call::SelectEvents);
    teach()?;
    teach()?;
    assert_eq!(store.calls(Call::SelectEvents) - before, 0);
    let length: Length = lengths.repository().get(Length::create_id("beg"))?;
    assert_eq!(length.letters, 3 * 6 * 1024 * 1024 + 3);
    Ok(())
}

#[test]
fn after_a_batch_that_failed_or_is_in_doubt_nothing_is_kept() -> Result<()> {
    for moment in [Moment::Before, Moment::After] {
        let flow = Flow::start(Env::new())?;
        flow.library.set_rate("red", 1)?;
        flow.teach("red")?;
        let before = flow.reads();
        let error = match moment {
            Moment::Before => StoreError::read_only("faulty", "a batch"),
            Moment::After => StoreError::outcome_unknown("faulty", "the answer was lost"),
        };
        flow.store.fail(Call::Record, 1, moment, error);
        flow.teach("red")?;
        flow.teach("red")?;
        flow.runner.wait_until_idle(PATIENCE)?;
        assert!(flow.reads() > before, "it was loaded again");
        assert_eq!(flow.library.lines("red")?, lines(2..=4));
    }
    Ok(())
}

#[test]
fn a_policy_that_fails_after_it_has_collected_leaves_nothing_behind() -> Result<()> {
    let flow = Flow::start(Env::new())?;
    flow.teach("red")?;
    // The policy of the third trick cannot read the rate, after two have changed the book.
    let mut dog = flow.school.get_dog("Billy")?;
    ["red", "red", "blue", "red"]
        .iter()
        .for_each(|trick| dog.add_trick(trick));
    let reads = 3;
    let error = StoreError::read_only("faulty", "a load");
    flow.store
        .fail(Call::SelectEvents, reads, Moment::Before, error);
    flow.school.save(&mut dog)?;
    flow.runner.wait_until_idle(PATIENCE)?;
    assert_eq!(flow.library.lines("red")?, lines([2, 3, 4, 6]));
    assert_eq!(flow.library.lines("blue")?, lines([5]));
    Ok(())
}

/// Counts tricks, and reads something of the store after each.
#[process_application]
struct Careful;

#[process_application]
impl Careful {
    #[policy(Dog::TrickAdded)]
    fn count(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let counter = self.repository().find(Counter::create_id(&event.trick))?;
        let mut counter = counter.unwrap_or_else(|| Counter::new(&event.trick));
        counter.increment();
        processing_event.collect_events(&mut counter);
        self.contains(Counter::create_id("none")).map(drop)
    }
}

#[test]
fn events_that_were_collected_before_their_policy_failed_are_in_no_memory() -> Result<()> {
    for cache in ["0", "9"] {
        let stores = Arc::new(FaultyStores::in_memory());
        let env = Env::new().with("AGGREGATE_CACHE_MAXSIZE", cache);
        let system = System::new(pipes![[DogSchool, Careful]])?;
        let mut runner = SingleThreadedRunner::new(&system, env.with_store(stores.clone()))?;
        let mut dog = Dog::register("Billy");
        (0..4).for_each(|_| dog.add_trick("sit"));
        runner.get::<DogSchool>()?.save(&mut dog)?;
        // The first two calls are those for the first trick.
        let error = StoreError::read_only("faulty", "a look");
        let store = stores.get("Careful").expect("it is open");
        store.fail(Call::SelectEvents, 3, Moment::Before, error);
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        let careful = runner.get::<Careful>()?;
        let counter: Counter = careful.repository().get(Counter::create_id("sit"))?;
        assert_eq!((counter.count, counter.version()), (4, 5), "cache {cache}");
        // One for the beginning, one for the first trick, and one for the others: no batch was
        // refused.
        assert_eq!(store.calls(Call::Record), 3, "cache {cache}");
    }
    Ok(())
}

#[test]
fn the_cache_has_what_a_batch_has_changed_and_what_is_kept_is_not_older() -> Result<()> {
    for fast_forward in ["y", "n"] {
        let env = Env::new()
            .with("AGGREGATE_CACHE_MAXSIZE", "10")
            .with("AGGREGATE_CACHE_FASTFORWARD", fast_forward);
        let flow = Flow::start(env)?;
        for round in 1..10 {
            flow.library.set_rate("red", round)?;
            flow.library.add_line("red", "by a command")?;
            flow.teach(&format!("red {round}"))?;
            flow.teach(&format!("red {round}"))?;
        }
        let lines = flow.library.lines("red")?;
        assert_eq!(lines.len(), 27, "{fast_forward}: {lines:?}");
    }
    Ok(())
}

/// A store whose loads are slow, and that counts what is recorded.
#[derive(Default)]
struct Slow {
    records: AtomicU64,
}

impl Around for Slow {
    fn record(
        &self,
        recorder: &dyn ProcessRecorder,
        recording: &Recording,
    ) -> std::result::Result<Recorded, StoreError> {
        self.records.fetch_add(1, Ordering::SeqCst);
        recorder.record(recording)
    }

    fn before_select_history(&self) {
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// Counts 20 tricks, whose counters exist already or do not. The loads of all of them take three
/// times as long as a batch may. Returns the number of batches.
fn batches_of_slow_loads(exist: bool) -> Result<u64> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let slow = Arc::new(Slow::default());
    let stores = Wrapping {
        application: "Counters",
        around: slow.clone(),
    };
    let env = files(dir.path()).with_store(Arc::new(stores));
    let system = System::new(pipes![[DogSchool, Counters]])?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    let mut dog = Dog::register("Billy");
    let tricks: Vec<_> = (0..20).map(|number| format!("trick {number}")).collect();
    tricks.iter().for_each(|trick| dog.add_trick(trick));
    runner.get::<DogSchool>()?.save(&mut dog)?;
    let counters = runner.get::<Counters>()?;
    if exist {
        let mut counters_of: Vec<_> = tricks.iter().map(|trick| Counter::new(trick)).collect();
        counters.save(&mut counters_of[..])?;
    }
    let before = slow.records.load(Ordering::SeqCst);
    runner.start()?;
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(counters.get_count("trick 7")?, 1);
    // One of them records where the follower begins.
    Ok(slow.records.load(Ordering::SeqCst) - before - 1)
}

#[test]
fn the_time_of_a_batch_does_not_count_the_loads_of_its_policies() -> Result<()> {
    assert_eq!(batches_of_slow_loads(true)?, 1);
    Ok(())
}

#[test]
fn the_time_of_a_batch_counts_the_looks_for_aggregates_that_do_not_exist() -> Result<()> {
    assert!(batches_of_slow_loads(false)? >= 2);
    Ok(())
}
