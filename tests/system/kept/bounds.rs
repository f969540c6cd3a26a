//! The memory of a follower is bounded, within a batch as between two.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use es_system::prelude::*;
use es_system::testing::{Call, FaultyStores};
use tests::PATIENCE;
use tests::domain::{Dog, DogSchool, DogTrickAdded};

/// The states that exist, and the most that have existed at once.
static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// A part of a state, by which the states are counted.
#[derive(Serialize, Deserialize)]
#[serde(from = "()", into = "()")]
struct Counted(());

impl Counted {
    fn new() -> Self {
        let now = NOW.fetch_add(1, Ordering::SeqCst) + 1;
        MOST.fetch_max(now, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        NOW.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl From<()> for Counted {
    fn from((): ()) -> Self {
        Self::new()
    }
}

impl From<Counted> for () {
    fn from(_: Counted) -> Self {}
}

/// A text that small events make large.
#[aggregate]
#[derive(Serialize, Deserialize)]
struct Buffer {
    counted: Counted,
    text: String,
}

#[aggregate(vis = pub(self))]
impl Buffer {
    #[id]
    fn create_id(name: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
    }

    #[event(Opened)]
    fn open(name: &str) -> Self {
        let _ = name;
        Self {
            counted: Counted::new(),
            text: String::new(),
        }
    }

    #[event(Resized)]
    fn resize(&mut self, bytes: usize) {
        let _ = &self.counted;
        self.text = "x".repeat(bytes);
    }
}

/// Makes the buffer that a trick names larger by 1 byte.
#[process_application]
struct Buffers;

#[process_application]
impl Buffers {
    #[policy(Dog::TrickAdded)]
    fn resize(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let mut buffer: Buffer = self.repository().get(Buffer::create_id(&event.trick))?;
        buffer.resize(buffer.text.len() + 1);
        processing_event.collect_events(&mut buffer);
        Ok(())
    }
}

#[test]
fn small_events_that_make_large_states_do_not_fill_the_memory() -> Result<()> {
    const COUNT: usize = 60;
    let stores = Arc::new(FaultyStores::in_memory());
    let env = Env::new().with_store(stores.clone());
    let system = System::new(pipes![[DogSchool, Buffers]])?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    let (school, buffers) = (runner.get::<DogSchool>()?, runner.get::<Buffers>()?);
    let mut dog = Dog::register("Billy");
    for number in 0..COUNT {
        let mut buffer = Buffer::open(&number.to_string());
        buffer.resize(1024 * 1024);
        buffers.save(&mut buffer)?;
        dog.add_trick(&number.to_string());
    }
    school.save(&mut dog)?;
    MOST.store(0, Ordering::SeqCst);
    runner.start()?;
    runner.wait_until_idle(PATIENCE)?;
    let most = MOST.load(Ordering::SeqCst);
    assert!((16..48).contains(&most), "{most} MiB");
    let store = stores.get("Buffers").expect("it is open");
    let reads = |number: usize| -> Result<u64> {
        let before = store.calls(Call::SelectEvents);
        school.add_trick("Billy", &number.to_string())?;
        Ok(store.calls(Call::SelectEvents) - before)
    };
    assert_eq!(reads(COUNT - 1)?, 0);
    assert!(reads(0)? > 0);
    Ok(())
}

/// A state that cannot be stored. Its size is not known when it comes from the cache.
#[aggregate]
#[derive(Clone)]
struct Words {
    count: usize,
}

#[aggregate(vis = pub(self))]
impl Words {
    #[id]
    fn create_id(name: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
    }

    #[event(Begun)]
    fn begin(name: &str) -> Self {
        let _ = name;
        Self { count: 0 }
    }

    #[event(WordAdded)]
    fn add(&mut self, word: &str) {
        let _ = word;
        self.count += 1;
    }
}

/// Adds a word to what a trick names.
#[process_application]
struct Writers;

#[process_application]
impl Writers {
    #[policy(Dog::TrickAdded)]
    fn write(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let mut words: Words = self.repository().get(Words::create_id(&event.trick))?;
        words.add("x");
        processing_event.collect_events(&mut words);
        Ok(())
    }
}

/// Returns the numbers of loads for these tricks, each of which is a batch, after `count` of them
/// were used in turn. Each has events of so many MiB.
fn loads(cache: &str, (count, mib): (usize, usize), tricks: &[usize]) -> Result<Vec<u64>> {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = Env::new().with("AGGREGATE_CACHE_MAXSIZE", cache);
    let system = System::new(pipes![[DogSchool, Writers]])?;
    let mut runner = SingleThreadedRunner::new(&system, env.with_store(stores.clone()))?;
    let (school, writers) = (runner.get::<DogSchool>()?, runner.get::<Writers>()?);
    let word = "x".repeat(mib * 1024 * 1024);
    for number in 0..count {
        let mut words = Words::begin(&number.to_string());
        words.add(&word);
        writers.save(&mut words)?;
    }
    runner.start()?;
    school.register_dog("Billy")?;
    let store = stores.get("Writers").expect("it is open");
    let teach = |trick: usize| -> Result<u64> {
        let before = store.calls(Call::SelectEvents);
        school.add_trick("Billy", &trick.to_string())?;
        Ok(store.calls(Call::SelectEvents) - before)
    };
    for number in 0..count {
        assert!(teach(number)? > 0);
    }
    tricks.iter().map(|trick| teach(*trick)).collect()
}

#[test]
fn a_few_long_aggregates_do_not_push_each_other_out() -> Result<()> {
    assert_eq!(loads("0", (4, 9), &[0, 1, 2, 3, 0])?, [0; 5]);
    Ok(())
}

#[test]
fn the_bytes_of_what_was_loaded_count_beside_a_cache_too() -> Result<()> {
    let loads = loads("1", (10, 4), &[9, 0])?;
    assert_eq!(loads[0], 0);
    assert!(loads[1] > 0);
    Ok(())
}
