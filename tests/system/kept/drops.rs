//! A state whose `Drop` panics harms nothing, wherever it is dropped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use es_system::Condition;
use es_system::prelude::*;
use es_system::store::StoreError;
use es_system::testing::{Call, FaultyRecorder, FaultyStores, Moment};
use tests::PATIENCE;
use tests::domain::{Dog, DogSchool, DogTrickAdded};

/// True while states panic when they are dropped.
static IS_LIT: AtomicBool = AtomicBool::new(false);

/// Held by each test, because they share the flag.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A part of a state that panics when it is dropped.
#[derive(Clone)]
struct Fuse;

impl Drop for Fuse {
    fn drop(&mut self) {
        if IS_LIT.load(Ordering::SeqCst) {
            std::panic::resume_unwind(Box::new("a fuse"));
        }
    }
}

#[aggregate]
#[derive(Clone)]
struct Firework {
    fuse: Fuse,
    shots: u64,
}

#[aggregate(vis = pub(self))]
impl Firework {
    #[id]
    fn create_id(name: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
    }

    #[event(Built)]
    fn build(name: &str) -> Self {
        let _ = name;
        Self {
            fuse: Fuse,
            shots: 0,
        }
    }

    #[event(Shot)]
    fn shoot(&mut self) {
        let _ = &self.fuse;
        self.shots += 1;
    }
}

/// Shoots the firework that a trick names.
#[process_application]
struct Fireworks;

#[process_application]
impl Fireworks {
    #[policy(Dog::TrickAdded)]
    fn shoot(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let name = event.trick.trim_end_matches(" and look");
        let found = self.repository().find(Firework::create_id(name))?;
        let mut firework: Firework = found.unwrap_or_else(|| Firework::build(name));
        firework.shoot();
        processing_event.collect_events(&mut firework);
        if name != event.trick {
            drop(firework);
            self.contains(Firework::create_id("nothing"))?;
        }
        Ok(())
    }
}

impl Fireworks {
    fn shots(&self, name: &str) -> Result<u64> {
        let firework: Firework = self.repository().get(Firework::create_id(name))?;
        Ok(firework.shots)
    }
}

/// Runs `flow` with a follower that has one firework in memory, and checks the end.
fn with_a_lit_fuse<R: Runner>(
    cache: &str,
    flow: impl FnOnce(&DogSchool, &FaultyRecorder) -> Result<()>,
) -> Result<R> {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = Env::new().with("AGGREGATE_CACHE_MAXSIZE", cache);
    let system = System::new(pipes![[DogSchool, Fireworks]])?;
    let mut runner = R::new(&system, env.with_store(stores.clone()))?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "one")?;
    runner.wait_until_idle(PATIENCE)?;
    let store = stores.get("Fireworks").expect("it is open");
    IS_LIT.store(true, Ordering::SeqCst);
    let done = flow(&school, &store);
    let idle = runner.wait_until_idle(PATIENCE);
    IS_LIT.store(false, Ordering::SeqCst);
    done?;
    idle?;
    for follower in runner.status() {
        let condition = follower.condition;
        assert!(matches!(condition, Condition::Running), "{condition:?}");
    }
    Ok(runner)
}

fn on_each_runner(
    cache: &str,
    flow: fn(&DogSchool, &FaultyRecorder) -> Result<()>,
    shots: u64,
) -> Result<()> {
    let _one = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(|poison| poison.into_inner());
    let runner = with_a_lit_fuse::<SingleThreadedRunner>(cache, flow)?;
    assert_eq!(runner.get::<Fireworks>()?.shots("one")?, shots);
    let runner = with_a_lit_fuse::<MultiThreadedRunner>(cache, flow)?;
    assert_eq!(runner.get::<Fireworks>()?.shots("one")?, shots);
    Ok(())
}

#[test]
fn it_is_dropped_when_a_batch_is_not_recorded() -> Result<()> {
    on_each_runner(
        "0",
        |school, store| {
            let error = StoreError::read_only("faulty", "a batch");
            store.fail(Call::Record, 1, Moment::Before, error);
            school.add_trick("Billy", "one")
        },
        2,
    )
}

#[test]
fn it_is_dropped_when_a_store_fails_before_a_batch() -> Result<()> {
    on_each_runner(
        "0",
        |school, store| {
            let error = StoreError::driver("faulty", "reading", "nobody is there");
            store.fail(Call::Followed, 1, Moment::Before, error);
            school.add_trick("Billy", "one")
        },
        2,
    )
}

#[test]
fn it_is_dropped_when_an_event_is_undone() -> Result<()> {
    on_each_runner(
        "0",
        |school, store| {
            let error = StoreError::read_only("faulty", "a look");
            store.fail(Call::SelectEvents, 1, Moment::Before, error);
            school.add_trick("Billy", "one and look")
        },
        2,
    )
}

#[test]
fn it_is_dropped_when_too_many_are_kept() -> Result<()> {
    on_each_runner(
        "0",
        |school, _| {
            let mut dog = school.get_dog("Billy")?;
            (0..1_100).for_each(|number| dog.add_trick(&number.to_string()));
            school.save(&mut dog)?;
            Ok(())
        },
        1,
    )
}

#[test]
fn it_is_dropped_from_the_cache() -> Result<()> {
    on_each_runner(
        "1",
        |school, _| {
            let tricks = ["two", "three", "one"];
            tricks
                .iter()
                .try_for_each(|trick| school.add_trick("Billy", trick))
        },
        2,
    )
}
