//! The repository's cache: it saves work, and nobody can tell from what is loaded.

use std::sync::Arc;

use es_system::prelude::*;
use es_system::testing::{Call, FaultyRecorder, FaultyStores, Moment};
use proptest::prelude::{Just, ProptestConfig, Strategy, proptest};
use proptest::{collection, prop_oneof};
use tests::domain::{Counter, Dog, DogSchool, DogTrickAdded};
use tests::{PATIENCE, files, teach, torture};

const NAMES: [&str; 3] = ["Billy", "Milly", "Scrappy"];

/// A school whose cache keeps `max` dogs, and its store. What `fast_forward` says is whether it looks for newer events.
fn school(max: usize, fast_forward: &str) -> Result<(DogSchool, Arc<FaultyRecorder>)> {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = cached(Env::new(), max, fast_forward).with_store(stores.clone());
    let school = DogSchool::new(env)?;
    let store = stores.get("DogSchool").expect("it is open");
    Ok((school, store))
}

fn cached(env: Env, max: usize, fast_forward: &str) -> Env {
    env.with("AGGREGATE_CACHE_MAXSIZE", max.to_string())
        .with("AGGREGATE_CACHE_FASTFORWARD", fast_forward)
        .with("IS_SNAPSHOTTING_ENABLED", "n")
}

#[test]
fn what_was_saved_is_loaded_without_the_store() -> Result<()> {
    let (school, store) = school(2, "n")?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    assert_eq!(school.get_dog("Billy")?.tricks, ["sit"]);
    assert_eq!(store.calls(Call::SelectEvents), 0);
    let first: Dog = school.repository().get_at(Dog::create_id("Billy"), 1)?;
    assert_eq!((first.version(), first.tricks.len()), (1, 0));
    Ok(())
}

#[test]
fn the_one_not_used_for_longest_is_read_from_the_store_again() -> Result<()> {
    let (school, store) = school(2, "n")?;
    for name in NAMES {
        school.register_dog(name)?;
    }
    let reads = |name| -> Result<u64> {
        let before = store.calls(Call::SelectEvents);
        school.get_dog(name)?;
        Ok(store.calls(Call::SelectEvents) - before)
    };
    assert_eq!(
        [
            reads("Scrappy")?,
            reads("Milly")?,
            reads("Billy")?,
            reads("Milly")?
        ],
        [0, 0, 1, 0]
    );
    assert_eq!(reads("Scrappy")?, 1);
    Ok(())
}

#[test]
fn a_state_that_was_not_saved_is_never_handed_out() -> Result<()> {
    for fast_forward in ["y", "n"] {
        let (school, store) = school(2, fast_forward)?;
        school.register_dog("Billy")?;
        let mut billy = school.get_dog("Billy")?;
        billy.add_trick("sit");
        assert!(school.get_dog("Billy")?.tricks.is_empty());
        let problem = "full".to_owned();
        let error = es_system::store::StoreError::Invalid(problem);
        store.fail(Call::Record, 1, Moment::Before, error);
        school.save(&mut billy).expect_err("it is refused");
        let found = school.get_dog("Billy")?;
        assert!(found.tricks.is_empty() && found.pending_events().is_empty());
        school.save(&mut billy)?;
        assert_eq!(school.get_dog("Billy")?.tricks, ["sit"]);
    }
    Ok(())
}

#[test]
fn what_another_process_saved_is_seen_at_once_or_after_a_conflict() -> Result<()> {
    for fast_forward in ["y", "n"] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let env = files(dir.path());
        let school = DogSchool::new(cached(env.clone(), 2, fast_forward))?;
        let other = DogSchool::new(env)?;
        school.register_dog("Billy")?;
        other.add_trick("Billy", "sit")?;
        let seen = school.get_dog("Billy")?.tricks.len();
        assert_eq!(seen, usize::from(fast_forward == "y"));
        let added = school.add_trick("Billy", "beg");
        if fast_forward == "n" {
            let error = added.expect_err("it was made from an old state");
            assert_eq!(error.kind(), ErrorKind::Conflict);
            school.add_trick("Billy", "beg")?;
        }
        assert_eq!(school.get_dog("Billy")?.tricks, ["sit", "beg"]);
    }
    Ok(())
}

#[test]
fn a_state_that_cannot_be_cloned_is_not_kept() -> Result<()> {
    #[aggregate]
    struct Statue {}

    #[aggregate(vis = pub(crate))]
    impl Statue {
        #[event(Made)]
        fn make() -> Self {
            Self {}
        }
    }

    let (school, store) = school(2, "n")?;
    let mut statue = Statue::make();
    school.save(&mut statue)?;
    for reads in 1..=2 {
        school.repository().get::<Statue>(statue.id())?;
        assert_eq!(store.calls(Call::SelectEvents), reads);
    }
    Ok(())
}

#[test]
fn a_cache_of_no_size_is_no_cache_and_one_of_a_wrong_size_is_refused() -> Result<()> {
    let (school, store) = school(0, "n")?;
    school.register_dog("Billy")?;
    school.get_dog("Billy")?;
    assert_eq!(store.calls(Call::SelectEvents), 1);
    for (key, value) in [
        ("AGGREGATE_CACHE_MAXSIZE", "-1"),
        ("AGGREGATE_CACHE_FASTFORWARD", "fast"),
    ] {
        let error = DogSchool::new(Env::new().with(key, value)).err();
        let error = error.expect("it is refused").to_string();
        assert!(error.contains(key), "{error}");
    }
    Ok(())
}

/// Counts tricks; whether another thread sees what it has collected, is its failure.
#[process_application]
struct Watcher;

#[process_application]
impl Watcher {
    #[policy(Dog::TrickAdded)]
    fn count(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let id = Counter::create_id("all");
        let committed = self.seen_by_another_thread()?;
        let mut counter = self
            .repository()
            .find(id)?
            .unwrap_or_else(|| Counter::new("all"));
        counter.increment();
        processing_event.collect_events(&mut counter);
        let here: Counter = self.repository().get(id)?;
        assert_eq!(here.count, counter.count, "{}", event.trick);
        assert_eq!(self.seen_by_another_thread()?, committed);
        Ok(())
    }

    fn seen_by_another_thread(&self) -> Result<u64> {
        let find = || self.repository().find::<Counter>(Counter::create_id("all"));
        let found = std::thread::scope(|scope| scope.spawn(find).join().expect("no panic"))?;
        Ok(found.map_or(0, |counter| counter.count))
    }
}

#[test]
fn what_policies_collect_reaches_the_cache_when_it_is_committed_and_not_before() -> Result<()> {
    for fast_forward in ["y", "n"] {
        let stores = Arc::new(FaultyStores::in_memory());
        let env = cached(Env::new(), 9, fast_forward).with_store(stores.clone());
        let school = DogSchool::new(env.clone())?;
        let mut billy = Dog::register("Billy");
        ["sit", "beg", "roll over"]
            .iter()
            .for_each(|trick| billy.add_trick(trick));
        school.save(&mut billy)?;
        let system = System::new(pipes![[DogSchool, Watcher]])?;
        let mut runner = SingleThreadedRunner::new(&system, env)?;
        let store = stores.get("Watcher").expect("it is open");
        let error = es_system::store::StoreError::read_only("faulty", "a batch");
        store.fail(Call::Record, 1, Moment::Before, error);
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        let watcher = runner.get::<Watcher>()?;
        let reads = store.calls(Call::SelectEvents);
        let counter: Counter = watcher.repository().get(Counter::create_id("all"))?;
        assert_eq!((counter.count, counter.version()), (3, 4));
        let reads = store.calls(Call::SelectEvents) - reads;
        assert_eq!(reads, u64::from(fast_forward == "y"));
        runner.stop()?;
    }
    Ok(())
}

/// What may happen to the dogs of a school.
#[derive(Debug, Clone)]
enum Step {
    Teach(usize),
    TeachElsewhere(usize),
    /// Two copies are taught, and the second one is a conflict.
    TeachTwoCopies(usize),
    /// A copy is taught and dropped.
    TeachInVain(usize),
    TakeSnapshot(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let dog = 0..NAMES.len();
    prop_oneof![
        4 => dog.clone().prop_map(Step::Teach),
        2 => dog.clone().prop_map(Step::TeachElsewhere),
        1 => dog.clone().prop_map(Step::TeachTwoCopies),
        1 => dog.clone().prop_map(Step::TeachInVain),
        1 => dog.prop_map(Step::TakeSnapshot),
    ]
}

fn take(step: &Step, school: &DogSchool, other: &DogSchool) -> Result<()> {
    match *step {
        Step::Teach(dog) => teach(school, NAMES[dog]),
        Step::TeachElsewhere(dog) => teach(other, NAMES[dog]),
        Step::TeachTwoCopies(dog) => {
            let [mut one, mut two] = [school.get_dog(NAMES[dog])?, school.get_dog(NAMES[dog])?];
            one.add_trick("first");
            two.add_trick("second");
            // With an old state both are conflicts.
            let saved = [school.save(&mut one), school.save(&mut two)];
            assert!(saved[1].is_err());
            Ok(())
        }
        Step::TeachInVain(dog) => {
            school.get_dog(NAMES[dog])?.add_trick("in vain");
            Ok(())
        }
        Step::TakeSnapshot(dog) => other.take_snapshot::<Dog>(Dog::create_id(NAMES[dog]), None),
    }
}

/// All of a dog that can be compared.
fn shown(dog: &Dog) -> String {
    format!("{dog:?} {} {}", dog.created_on(), dog.modified_on())
}

fn check(steps: &[Step], max: usize, fast_forward: &str) -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let plain = files(dir.path());
    let snapshotting =
        cached(plain.clone(), max, fast_forward).with("IS_SNAPSHOTTING_ENABLED", "y");
    let (school, other) = (DogSchool::new(snapshotting)?, DogSchool::new(plain)?);
    for name in NAMES {
        school.register_dog(name)?;
    }
    for step in steps {
        take(step, &school, &other)?;
        for name in NAMES {
            let (found, expected) = (school.get_dog(name)?, other.get_dog(name)?);
            if fast_forward == "y" {
                assert_eq!(shown(&found), shown(&expected));
            }
            // An old state is one that there was.
            let then: Dog = other.repository().get_at(found.id(), found.version())?;
            assert_eq!(shown(&found), shown(&then));
            assert!(found.pending_events().is_empty());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16 * torture() as u32))]

    #[test]
    fn with_a_cache_everything_is_as_without_one(
        steps in collection::vec(step(), 1..16),
        max in 1..4_usize,
        fast_forward in prop_oneof![Just("y"), Just("n")],
    ) {
        check(&steps, max, fast_forward).expect("nothing fails");
    }
}

#[test]
fn many_threads_with_one_cache_lose_nothing_and_never_go_back() -> Result<()> {
    const THREADS: usize = 4;
    let each = 60 * torture();
    for fast_forward in ["y", "n"] {
        let (school, _) = school(2, fast_forward)?;
        for name in NAMES {
            school.register_dog(name)?;
        }
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let school = &school;
                scope.spawn(move || {
                    let mut seen = [0; NAMES.len()];
                    for turn in 0..each {
                        let dog = (thread + turn) % NAMES.len();
                        teach(school, NAMES[dog]).expect("taught");
                        let version = school.get_dog(NAMES[dog]).expect("read").version();
                        if fast_forward == "y" {
                            assert!(version > seen[dog], "{version} after {}", seen[dog]);
                        }
                        seen[dog] = version;
                    }
                });
            }
        });
        let plain = NAMES.map(|name| school.repository().get_at::<Dog>(Dog::create_id(name), 1));
        assert!(plain.iter().all(Result::is_ok));
        let head = school.recorder()?.head().expect("read").expect("events");
        assert_eq!(head.position as usize, NAMES.len() + THREADS * each);
        if fast_forward == "y" {
            let tricks: Result<Vec<_>> = NAMES
                .iter()
                .map(|name| Ok(school.get_dog(name)?.tricks.len()))
                .collect();
            assert_eq!(tricks?.iter().sum::<usize>(), THREADS * each);
        }
    }
    Ok(())
}
