//! Commands that load, decide and save, and are repeated after a conflict.

use std::sync::Arc;
use std::thread;

use es_system::ExecuteError;
use es_system::prelude::*;
use es_system::store::Conflict;
use es_system::store::StoreError;
use es_system::testing::{Call, FaultyRecorder, FaultyStores, Moment};
use tests::domain::{Counter, Dog, DogSchool, DogTrickAdded};
use tests::{PATIENCE, Place, places};

fn school_of_billy(env: Env) -> Result<(DogSchool, Uuid)> {
    let school = DogSchool::new(env)?;
    school.register_dog("Billy")?;
    Ok((school, Dog::create_id("Billy")))
}

/// Returns a school with Billy, and its store, which fails on request.
fn faulty_school(env: Env) -> Result<(DogSchool, Uuid, Arc<FaultyRecorder>)> {
    let stores = Arc::new(FaultyStores::in_memory());
    let (school, billy) = school_of_billy(env.with_store(stores.clone()))?;
    let store = stores.get("DogSchool").expect("it is open");
    Ok((school, billy, store))
}

fn teach(school: &DogSchool, dog: Uuid, trick: &str) -> Result<u64> {
    school.execute::<Dog, _>(dog, |dog| {
        dog.add_trick(trick);
        Ok(dog.version())
    })
}

#[test]
fn of_many_who_change_one_aggregate_each_succeeds_once_or_says_so() -> Result<()> {
    for Place { name, env, .. } in places() {
        let (school, billy) = school_of_billy(env)?;
        let successes: u64 = thread::scope(|scope| {
            let teach_many = || {
                let taught = (0..25).map(|_| match teach(&school, billy, "sit") {
                    Ok(_) => 1,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Conflict, "{name}: {error}");
                        0
                    }
                });
                taught.sum::<u64>()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(teach_many)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .sum()
        });
        let billy = school.get_dog("Billy")?;
        assert_eq!(billy.version(), 1 + successes, "{name}");
        assert_eq!(billy.tricks.len() as u64, successes, "{name}");
        assert!(successes > 0, "{name}");
    }
    Ok(())
}

#[test]
fn after_a_conflict_the_command_runs_again_with_what_is_recorded_also_behind_a_cache() -> Result<()>
{
    let cached = Env::new()
        .with("AGGREGATE_CACHE_MAXSIZE", "10")
        .with("AGGREGATE_CACHE_FASTFORWARD", "n");
    for env in [Env::new(), cached] {
        let env = env.with_store(Arc::new(FaultyStores::in_memory()));
        let other = DogSchool::new(env.clone())?;
        let (school, billy) = school_of_billy(env)?;
        let mut seen = Vec::new();
        let version = school.execute::<Dog, _>(billy, |dog| {
            seen.push(dog.tricks.len());
            if seen.len() == 1 {
                other.add_trick("Billy", "roll over")?;
            }
            dog.add_trick("sit");
            Ok(dog.version())
        })?;
        assert_eq!((seen.as_slice(), version), ([0, 1].as_slice(), 3));
        assert_eq!(school.get_dog("Billy")?.tricks, ["roll over", "sit"]);
    }
    Ok(())
}

#[test]
fn a_conflict_in_each_of_all_tries_is_returned() -> Result<()> {
    let (school, billy, store) = faulty_school(Env::new())?;
    for nth in 1..=20 {
        let conflict = StoreError::Conflict(Conflict::new(billy, 2));
        store.fail(Call::Record, nth, Moment::Before, conflict);
    }
    let mut runs = 0;
    let error = school.execute::<Dog, _>(billy, |dog| {
        runs += 1;
        dog.add_trick("sit");
        Ok(())
    });
    let error = error.expect_err("somebody else was always first");
    assert_eq!((error.kind(), runs), (ErrorKind::Conflict, 20), "{error}");
    assert_eq!(teach(&school, billy, "sit")?, 2);
    Ok(())
}

fn unknown() -> StoreError {
    StoreError::outcome_unknown("faulty", "the connection was lost")
}

#[test]
fn what_nobody_can_say_is_recorded_is_sent_again_and_the_command_does_not_run_twice() -> Result<()>
{
    for moment in [Moment::Before, Moment::After] {
        let (school, billy, store) = faulty_school(Env::new())?;
        store.fail(Call::Record, 1, moment, unknown());
        store.fail(Call::Record, 2, moment, unknown());
        let mut runs = 0;
        school.execute::<Dog, _>(billy, |dog| {
            runs += 1;
            dog.add_trick("sit");
            Ok(())
        })?;
        assert_eq!(
            (runs, school.get_dog("Billy")?.tricks.len()),
            (1, 1),
            "{moment:?}"
        );
    }
    Ok(())
}

#[test]
fn an_outcome_that_stays_unknown_is_returned() -> Result<()> {
    let (school, billy, store) = faulty_school(Env::new())?;
    (1..=20).for_each(|nth| store.fail(Call::Record, nth, Moment::Before, unknown()));
    let error = teach(&school, billy, "sit").expect_err("nobody can say");
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
    assert_eq!(store.calls(Call::Record), 6);
    Ok(())
}

#[test]
fn a_command_that_refuses_runs_once_and_saves_nothing() -> Result<()> {
    for Place { name, env, .. } in places() {
        let (school, billy) = school_of_billy(env)?;
        let mut runs = 0;
        let refused = school.try_execute::<Dog, (), _>(billy, |dog| {
            runs += 1;
            dog.add_trick("fly");
            Err("dogs do not fly")
        });
        assert!(
            matches!(refused, Err(ExecuteError::Refused("dogs do not fly"))),
            "{name}: {refused:?}"
        );
        assert_eq!((runs, school.get_dog("Billy")?.version()), (1, 1), "{name}");

        let missing = school.try_execute::<Dog, _, String>(Uuid::nil(), |_| Ok(()));
        let Err(ExecuteError::Failed(error)) = missing else {
            panic!("{name}: there is no such dog");
        };
        assert_eq!(error.kind(), ErrorKind::NotFound, "{name}: {error}");
    }
    Ok(())
}

#[test]
fn a_refusal_says_what_the_command_said() {
    let refused = ExecuteError::Refused("dogs do not fly");
    let boxed: Box<dyn std::error::Error> = refused.into();
    assert_eq!(boxed.to_string(), "dogs do not fly");
}

#[process_application(name = "Watcher")]
struct Executing;

#[process_application]
impl Executing {
    #[policy(Dog::TrickAdded)]
    fn count(&self, event: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
        self.execute::<Counter, _>(Counter::create_id(&event.trick), |counter| {
            counter.increment();
            Ok(())
        })
    }
}

#[test]
fn to_execute_inside_a_policy_is_an_error_that_names_collect_events() -> Result<()> {
    let system = System::new(pipes![[DogSchool, Executing]])?;
    let mut runner = SingleThreadedRunner::new(&system, Env::new())?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    teach(&school, Dog::create_id("Billy"), "sit")?;
    let error = runner
        .watch_for_errors(PATIENCE)
        .expect_err("it cannot work");
    let error = error.to_string();
    assert!(
        error.contains("`execute` was called inside a policy"),
        "{error}"
    );
    assert!(error.contains("collect_events"), "{error}");
    Ok(())
}

#[test]
fn a_command_on_several_aggregates_is_run_again_after_a_conflict() -> Result<()> {
    for Place { name, env, .. } in places() {
        let (school, billy) = school_of_billy(env)?;
        school.register_dog("Milly")?;
        let milly = Dog::create_id("Milly");
        let swap = |first: Uuid, second: Uuid| {
            school.retry(|| {
                let mut first: Dog = school.repository().get(first)?;
                let mut second: Dog = school.repository().get(second)?;
                first.add_trick("shake hands");
                second.add_trick("shake hands");
                school.save((&mut first, &mut second)).map(drop)
            })
        };
        let successes: u64 = thread::scope(|scope| {
            let many = |(first, second)| {
                let done = (0..15).map(move |_| match swap(first, second) {
                    Ok(()) => 1,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Conflict, "{name}: {error}");
                        0
                    }
                });
                done.sum::<u64>()
            };
            let pairs = [(billy, milly), (milly, billy), (billy, milly)];
            let threads = pairs.map(|pair| scope.spawn(move || many(pair)));
            threads
                .map(|thread| thread.join().expect("no panic"))
                .iter()
                .sum()
        });
        assert!(successes > 0, "{name}");
        for dog in ["Billy", "Milly"] {
            assert_eq!(
                school.get_dog(dog)?.tricks.len() as u64,
                successes,
                "{name}"
            );
        }
    }
    Ok(())
}

/// A closure that puts another aggregate in place of the one that it is given.
fn refused(school: &DogSchool, dog: Uuid, command: impl Fn(&mut Dog)) -> String {
    let error = school.execute::<Dog, _>(dog, |dog| {
        command(dog);
        Ok(())
    });
    let error = error.expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    error.to_string()
}

#[test]
fn another_aggregate_in_the_place_of_the_loaded_one_is_refused_with_both_ids() -> Result<()> {
    let (school, billy) = school_of_billy(Env::new())?;
    let milly = Dog::create_id("Milly");
    let replace: [fn(&mut Dog); 3] = [
        |dog| *dog = Dog::register("Milly"),
        |dog| {
            let mut other = Dog::register("Milly");
            other.add_trick("sit");
            std::mem::swap(dog, &mut other);
        },
        |dog| {
            dog.add_trick("sit");
            drop(std::mem::replace(dog, Dog::register("Milly")));
        },
    ];
    for replace in replace {
        let error = refused(&school, billy, replace);
        for part in [
            "DogSchool",
            &billy.to_string(),
            &milly.to_string(),
            "`save`",
        ] {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
    }
    let mut failing = |dog: &mut Dog| -> Result<(), &'static str> {
        *dog = Dog::register("Milly");
        Ok(())
    };
    let failed = school.try_execute::<Dog, _, _>(billy, &mut failing);
    assert!(
        matches!(failed, Err(ExecuteError::Failed(Error::Usage(_)))),
        "{failed:?}"
    );
    assert!(!school.contains(milly)?);
    assert_eq!(school.get_dog("Billy")?.version(), 1);
    Ok(())
}

#[test]
fn another_copy_in_the_place_of_the_loaded_one_is_refused_if_it_does_not_follow() -> Result<()> {
    let (school, billy) = school_of_billy(Env::new())?;
    teach(&school, billy, "sit")?;
    let error = refused(&school, billy, |dog| *dog = Dog::register("Billy"));
    assert!(
        error.contains("at version 2") && error.contains("version 1 with 1 new"),
        "{error}"
    );
    let error = refused(&school, billy, |dog| {
        *dog = school.repository().get_at(billy, 1).expect("it is there");
    });
    assert!(error.contains("version 1 with 0 new"), "{error}");
    // The same state, loaded again, is the same aggregate.
    school.execute::<Dog, _>(billy, |dog| {
        *dog = school.repository().get(billy)?;
        dog.add_trick("roll over");
        Ok(())
    })?;
    assert_eq!(school.get_dog("Billy")?.tricks, ["sit", "roll over"]);
    Ok(())
}
