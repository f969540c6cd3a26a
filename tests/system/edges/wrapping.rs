//! The library's error in the error of a user: what is done about it is the same, however it is wrapped.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use es_system::Condition;
use es_system::EventQuery;
use es_system::store::{AggregateRecorder as _, ApplicationRecorder as _};
use es_system::testing::{Call, FaultyStores, Moment};
use tests::domain::{Counter, DogSchool, DogTrickAdded};

use super::*;

static NORTH: Mutex<Option<Arc<North>>> = Mutex::new(None);

#[derive(Debug, thiserror::Error)]
enum Transparent {
    #[error(transparent)]
    Library(#[from] Error),
}

#[derive(Debug, thiserror::Error)]
enum Sourced {
    #[error("the dog is not registered")]
    Library(#[source] Error),
}

type Boxed = Box<dyn std::error::Error + Send + Sync>;

/// A follower whose policy wraps the library's errors in its own way.
macro_rules! follower {
    ($name:ident, $error:ty, $outcome:ident => $wrapped:expr) => {
        #[process_application(name = "Watcher")]
        struct $name;

        #[process_application]
        impl $name {
            #[policy(Dog::TrickAdded)]
            fn follow(
                &self,
                event: &DomainEvent<DogTrickAdded>,
                processing_event: &mut ProcessingEvent,
            ) -> Result<(), $error> {
                let $outcome = act(event, processing_event);
                $wrapped
            }
        }
    };
}

follower!(AsItIs, Error, outcome => outcome);
follower!(InTransparent, Transparent, outcome => Ok(outcome?));
follower!(InSourced, Sourced, outcome => outcome.map_err(Sourced::Library));
follower!(InBox, Boxed, outcome => Ok(outcome?));
follower!(InAnyhow, anyhow::Error, outcome => Ok(outcome?));
follower!(InContext, anyhow::Error, outcome => outcome.context("the dog is not registered"));

/// Does what the name of a trick says.
fn act(event: &DomainEvent<DogTrickAdded>, processing_event: &mut ProcessingEvent) -> Result<()> {
    let north = NORTH.lock().expect("no panic").clone();
    let north = north.expect("the test sets it");
    match event.trick.split_once(' ') {
        Some(("register", name)) => north.save(&mut Dog::register(name)).map(drop),
        Some(("find", name)) => north
            .repository()
            .get::<Dog>(Dog::create_id(name))
            .map(drop),
        _ => {
            processing_event.collect_events(&mut Counter::new(&event.trick));
            Ok(())
        }
    }
}

type MakeSystem = fn() -> Result<System>;

/// The system of each follower.
const SYSTEMS: [(&str, MakeSystem); 6] = [
    ("as it is", || {
        System::new(pipes![[DogSchool, AsItIs], [North]])
    }),
    ("in a transparent variant", || {
        System::new(pipes![[DogSchool, InTransparent], [North]])
    }),
    ("as the source of a variant", || {
        System::new(pipes![[DogSchool, InSourced], [North]])
    }),
    ("in a box", || {
        System::new(pipes![[DogSchool, InBox], [North]])
    }),
    ("in anyhow", || {
        System::new(pipes![[DogSchool, InAnyhow], [North]])
    }),
    ("in anyhow with a context", || {
        System::new(pipes![[DogSchool, InContext], [North]])
    }),
];

/// What became of a follower.
#[derive(Debug, PartialEq)]
struct Outcome {
    condition: &'static str,
    error: Option<ErrorKind>,
    position: u64,
    /// Those of the three tricks whose counter is recorded.
    effects: Vec<&'static str>,
}

/// Lets a follower process three tricks, of which the second is `trick`, with a store of the north that fails its next
/// saves, as many as `failures`.
fn outcome<R: Runner>(system: &System, trick: &str, failures: u64) -> Result<Outcome> {
    let stores = Arc::new(FaultyStores::in_memory());
    let mut runner = R::new(system, Env::new().with_store(stores.clone()))?;
    let (school, north) = (runner.get::<DogSchool>()?, runner.get::<North>()?);
    north.save(&mut Dog::register("Rex"))?;
    *NORTH.lock().expect("no panic") = Some(north);
    let store = |name| stores.get(name).expect("it is open");
    for number in 1..=failures {
        let error = StoreError::read_only("faulty", "a save");
        store("North").fail(Call::Record, number, Moment::Before, error);
    }
    let mut billy = Dog::register("Billy");
    for trick in ["sit", trick, "spin"] {
        billy.add_trick(trick);
    }
    school.save(&mut billy)?;
    runner.start()?;
    let error = runner.wait_until_idle(SOON).err();
    let condition = match runner.status()[0].condition {
        Condition::Running => "running",
        Condition::Retrying { .. } => "retrying",
        _ => "stopped",
    };
    let watcher = store("Watcher");
    let is_recorded = |trick: &&str| {
        let id = Counter::create_id(trick).into();
        let events = watcher.select_events(&id, &EventQuery::all());
        !events.expect("it can be read").is_empty()
    };
    let tracked = es_system::store::ProcessRecorder::tracked(&*watcher, "DogSchool");
    assert!(watcher.head().is_ok(), "the store works");
    Ok(Outcome {
        condition,
        error: error.map(|error| error.kind()),
        position: tracked.expect("it can be read").unwrap_or(0),
        effects: ["sit", "spin"]
            .into_iter()
            .filter(|trick| is_recorded(trick))
            .collect(),
    })
}

/// The tests of this file share the application that their policies save to.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Each wrapping comes to `expected`, with both runners.
fn is_the_same(trick: &str, failures: u64, expected: &Outcome) -> Result<()> {
    let _one = one_at_a_time();
    let mut wrong = Vec::new();
    for (wrapping, system) in SYSTEMS {
        for outcome in [
            outcome::<SingleThreadedRunner>(&system()?, trick, failures)?,
            outcome::<MultiThreadedRunner>(&system()?, trick, failures)?,
        ] {
            if outcome != *expected {
                wrong.push(format!("{wrapping}: {outcome:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{expected:?}, but {wrong:#?}");
    Ok(())
}

fn stopped_in_front_of_the_second() -> Outcome {
    Outcome {
        condition: "stopped",
        error: Some(ErrorKind::Policy),
        position: 2,
        effects: vec!["sit"],
    }
}

#[test]
fn a_conflict_elsewhere_that_never_ends_stops_the_follower_however_it_is_wrapped() -> Result<()> {
    is_the_same("register Rex", 0, &stopped_in_front_of_the_second())
}

#[test]
fn an_aggregate_that_is_not_found_stops_the_follower_however_it_is_wrapped() -> Result<()> {
    is_the_same("find Nobody", 0, &stopped_in_front_of_the_second())
}

#[test]
fn a_failure_of_another_store_is_tried_again_however_it_is_wrapped() -> Result<()> {
    let expected = Outcome {
        condition: "running",
        error: None,
        position: 4,
        effects: vec!["sit", "spin"],
    };
    is_the_same("register Milly", 2, &expected)
}
