//! A process that measures the memory of those who read large events.
//!
//! `fill DIR COUNT BYTES` records so many events of a dog, each with a trick of so many bytes.
//! `follower DIR`, `projection DIR`, `subscription DIR`, `rebuild DIR` and `load DIR` read all of
//! them, and print the highest memory meanwhile, in bytes above that before. `count DIR` has a
//! follower count the tricks, and prints the events a second as well; `count-in-memory COUNT` does
//! so without a database.

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use es_system::prelude::*;
use es_system::store::{self, ProcessRecorder, Recording, Role, StoredEvent};
use es_system::testing::FaultyStores;
use tests::PATIENCE;
use tests::domain::{Counters, Dog, DogSchool, DogTrickAdded};
use tests::settings;

/// Counts the bytes of all tricks.
#[process_application]
struct Watcher;

#[process_application]
impl Watcher {
    #[policy(Dog::TrickAdded)]
    fn count(&self, event: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
        assert!(!event.trick.is_empty());
        Ok(())
    }
}

/// Keeps the length of each trick in a table.
#[projection]
struct Letters;

#[projection]
impl Letters {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let lengths = tx.table("lengths");
        tx.execute(
            &format!("CREATE TABLE {lengths} (length BIGINT NOT NULL)"),
            &[],
        )?;
        Ok(())
    }

    #[policy(Dog::TrickAdded)]
    fn count(&self, event: &DomainEvent<DogTrickAdded>, tx: &mut Transaction<'_>) -> Result<()> {
        let sql = format!("INSERT INTO {} (length) VALUES ($1)", tx.table("lengths"));
        let length = u64::try_from(event.trick.len()).unwrap_or(u64::MAX);
        tx.execute(&sql, &[&length])?;
        Ok(())
    }
}

/// A dog of which only the length of its tricks is known.
#[aggregate(topic = "dogschool:Dog")]
struct Trained {
    letters: usize,
}

#[aggregate(vis = pub(crate))]
impl Trained {
    #[id]
    fn create_id(name: &str) -> Uuid {
        Dog::create_id(name)
    }

    #[event(Registered)]
    fn register(name: &str) -> Self {
        let _ = name;
        Self { letters: 0 }
    }

    #[event(TrickAdded)]
    fn add_trick(&mut self, trick: &str) {
        self.letters += trick.len();
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args[..] {
        ["fill", dir, count, bytes] => fill(env(dir), number(count), number(bytes)),
        ["follower", dir] => follow(
            env(dir),
            &System::new(pipes![[DogSchool, Watcher]]).expect("a system"),
        ),
        ["projection", dir] => follow(env(dir), &letters()),
        ["subscription", dir] => subscribe(env(dir)),
        ["rebuild", dir] => rebuild(env(dir)),
        ["load", dir] => load(env(dir)),
        ["count", dir] => count(env(dir)),
        ["count-in-memory", events] => {
            let stores = Arc::new(FaultyStores::in_memory());
            let env = Env::new().with_store(stores);
            fill(env.clone(), number(events), 4).and_then(|()| count(env))
        }
        _ => panic!("unknown arguments {args:?}"),
    };
    outcome.expect("the child does what it is told to");
}

fn env(dir: &str) -> Env {
    settings(dir.as_ref())
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

fn school(env: &Env) -> Arc<dyn ProcessRecorder> {
    store::open("DogSchool", Role::Leader, env).expect("a store")
}

/// Records the events behind the library's back, which would take long to encode them all, and
/// behind those that are there already.
fn fill(env: Env, count: u64, bytes: u64) -> Result<()> {
    let memory = DogSchool::new(Env::new())?;
    let mut dog = Trained::register("Billy");
    dog.add_trick(&"x".repeat(usize::try_from(bytes).expect("a size")));
    memory.save(&mut dog)?;
    let events = memory.notification_log().select(1, 2)?;
    let recorder = school(&env);
    let record = |events: Vec<StoredEvent>| {
        let recorded = recorder.record(&Recording::new(events));
        recorded.expect("it is recorded");
    };
    let before = recorder
        .head()
        .expect("the head")
        .map_or(0, |head| head.position);
    if before == 0 {
        record(vec![events[0].event.clone()]);
    }
    let first = before.max(1) + 1;
    let versions: Vec<u64> = (first..first + count).collect();
    let at_once = usize::try_from(1 + 1_000_000 / bytes)
        .expect("a size")
        .min(500);
    for versions in versions.chunks(at_once) {
        let event = |version: &u64| {
            let mut event = events[1].event.clone();
            event.originator_version = *version;
            event
        };
        record(versions.iter().map(event).collect());
    }
    Ok(())
}

fn letters() -> System {
    System::new(pipes![[DogSchool, Letters]]).expect("a system")
}

fn follow(env: Env, system: &System) -> Result<()> {
    let mut runner = SingleThreadedRunner::new(system, env)?;
    measure(|| {
        runner.start()?;
        runner.wait_until_idle(PATIENCE)
    })
}

fn subscribe(env: Env) -> Result<()> {
    let school = DogSchool::new(env)?;
    let count = school.notification_log().head()?;
    measure(|| {
        let mut events = school
            .subscribe(0)?
            .map(|event| event.map(|event| event.id));
        events
            .find(|event| !matches!(event, Ok(id) if *id < count))
            .transpose()
            .map(drop)
    })
}

fn rebuild(env: Env) -> Result<()> {
    let runner = SingleThreadedRunner::new(&letters(), env)?;
    measure(|| runner.rebuild::<Letters>(|_| {}))
}

/// Counts the tricks that were not counted yet, all with one counter.
fn count(env: Env) -> Result<()> {
    let system = System::new(pipes![[DogSchool, Counters]])?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    let (school, counters) = (runner.get::<DogSchool>()?, runner.get::<Counters>()?);
    let before = counters.position_in("DogSchool")?.unwrap_or(0);
    let events = school.notification_log().head()? - before;
    let started = Instant::now();
    measure(|| {
        runner.start()?;
        runner.wait_until_idle(10 * PATIENCE)
    })?;
    let rate = events as f64 / started.elapsed().as_secs_f64();
    println!("{rate:.0} events a second");
    Ok(())
}

fn load(env: Env) -> Result<()> {
    let school = DogSchool::new(env)?;
    let head = school.notification_log().head()?;
    measure(|| {
        let dog: Trained = school.repository().get(Trained::create_id("Billy"))?;
        assert!(dog.version() == head && dog.letters > 0);
        Ok(())
    })
}

/// Prints the highest memory while `work` runs, in bytes above that before.
fn measure(work: impl FnOnce() -> Result<()>) -> Result<()> {
    let before = memory("VmRSS");
    // The highest value so far is forgotten.
    fs::write("/proc/self/clear_refs", "5").expect("the peak can be reset");
    work()?;
    println!("{}", memory("VmHWM").saturating_sub(before));
    Ok(())
}

fn memory(key: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the system is Linux");
    let line = status.lines().find(|line| line.starts_with(key));
    let value = line.and_then(|line| line.split_whitespace().nth(1));
    1024 * number(value.expect("a number of kilobytes"))
}
