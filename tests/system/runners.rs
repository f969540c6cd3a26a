//! The promises of both runners: they catch up, notice others, and wait for conditions.

use std::sync::Arc;

use es_system::Condition;
use es_system::prelude::*;
use es_system::store::{Listening, ProcessRecorder, Signal, StoreError};
use es_system::testing::FixedSource;
use tests::domain::{Counter, Counters, DogSchool};
use tests::wrapped::{Around, Wrapping};
use tests::{PATIENCE, Place, files, places};

pub(crate) fn started<R: Runner>(system: &System, env: Env) -> Result<R> {
    let mut runner = R::new(system, env)?;
    runner.start()?;
    Ok(runner)
}

pub(crate) fn school_and_counters() -> Result<System> {
    System::new(pipes![[DogSchool, Counters]])
}

pub(crate) fn error_of<T>(result: Result<T>) -> Error {
    result.err().expect("an error")
}

#[test]
fn to_start_twice_is_an_error() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let mut runner: R = started(&school_and_counters()?, Env::new())?;
        assert_eq!(error_of(runner.start()).kind(), ErrorKind::Usage);
        runner.stop()
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

#[test]
fn watching_for_errors_takes_its_time_where_nobody_follows() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let mut runner: R = started(&System::new(pipes![[DogSchool]])?, Env::new())?;
        let limit = Duration::from_millis(50);
        let since = std::time::Instant::now();
        runner.watch_for_errors(limit)?;
        assert!(since.elapsed() >= limit);
        runner.stop()?;
        runner.watch_for_errors(PATIENCE * 60)
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

#[test]
fn to_start_after_a_stop_is_an_error_that_asks_for_a_new_runner() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let runners = [
            started(&school_and_counters()?, Env::new())?,
            R::new(&school_and_counters()?, Env::new())?,
        ];
        for mut runner in runners {
            runner.stop()?;
            let error = error_of(runner.start());
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert_eq!(
                error.to_string(),
                "the runner was stopped: make a new runner, which continues where this one ended"
            );
            runner.stop()?;
        }
        Ok(())
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

#[test]
fn an_application_that_is_not_in_the_system_is_an_error() -> Result<()> {
    let runner: SingleThreadedRunner = started(&System::new(pipes![[DogSchool]])?, Env::new())?;
    let error = error_of(runner.get::<Counters>());
    assert!(
        error
            .to_string()
            .contains("Counters` is not an application of this system"),
        "{error}"
    );
    Ok(())
}

#[test]
fn at_the_start_a_runner_catches_up_with_what_was_recorded_before() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let env = files(dir.path());
        let school = DogSchool::new(env.clone())?;
        school.register_dog("Billy")?;
        (0..30).try_for_each(|_| school.add_trick("Billy", "sit"))?;
        let runner: R = started(&school_and_counters()?, env)?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 30);
        Ok(())
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

#[test]
fn a_runner_notices_what_others_record_without_a_save_of_its_own() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let env = files(dir.path());
        let runner: R = started(&school_and_counters()?, env.clone())?;
        let other = DogSchool::new(env)?;
        other.register_dog("Billy")?;
        for count in 1..=5 {
            other.add_trick("Billy", "sit")?;
            runner.wait_until_idle(PATIENCE)?;
            assert_eq!(runner.get::<Counters>()?.get_count("sit")?, count);
        }
        Ok(())
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

#[test]
fn the_multi_threaded_runner_works_while_nobody_waits() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = files(dir.path());
    let runner: MultiThreadedRunner = started(&school_and_counters()?, env.clone())?;
    let counters = runner.get::<Counters>()?;
    let mut counted = counters.subscribe(0)?;
    let other = DogSchool::new(env)?;
    other.register_dog("Billy")?;
    other.add_trick("Billy", "sit")?;
    let topics: Vec<_> = counted
        .by_ref()
        .take(2)
        .map(|e| e.map(|e| e.topic.clone()))
        .collect::<Result<_>>()?;
    assert_eq!(
        topics,
        ["dogschool:Counter.Created", "dogschool:Counter.Incremented"]
    );
    Ok(())
}

#[test]
fn the_single_threaded_runner_processes_what_others_recorded_when_it_is_told_to() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = files(dir.path());
    let runner: SingleThreadedRunner = started(&school_and_counters()?, env.clone())?;
    let other = DogSchool::new(env)?;
    other.register_dog("Billy")?;
    other.add_trick("Billy", "sit")?;
    runner.process();
    assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 1);
    Ok(())
}

#[test]
fn commands_of_several_threads_return_when_their_consequences_are_processed() -> Result<()> {
    for Place { name, env, .. } in places() {
        let runner: SingleThreadedRunner = started(&school_and_counters()?, env)?;
        let school = runner.get::<DogSchool>()?;
        let counters = runner.get::<Counters>()?;
        std::thread::scope(|scope| {
            for dog in ["Billy", "Milly", "Scrappy", "Rex"] {
                let school = &school;
                let counters = &counters;
                scope.spawn(move || -> Result<()> {
                    school.register_dog(dog)?;
                    for count in 1..=10 {
                        school.add_trick(dog, dog)?;
                        assert_eq!(counters.get_count(dog)?, count, "{name}");
                    }
                    Ok(())
                });
            }
        });
        assert_eq!(counters.position_in("DogSchool")?, Some(44), "{name}");
    }
    Ok(())
}

#[test]
fn events_that_no_policy_wants_move_the_position_too() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        for Place { name, env, .. } in places() {
            let runner: R = started(&school_and_counters()?, env)?;
            let school = runner.get::<DogSchool>()?;
            (0..20).try_for_each(|n| school.register_dog(&n.to_string()))?;
            runner.wait_until_idle(PATIENCE)?;
            assert_eq!(
                runner.get::<Counters>()?.position_in("DogSchool")?,
                Some(20),
                "{name}"
            );
        }
        Ok(())
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

/// Two applications that answer each other forever.
mod endless {
    use es_system::prelude::*;

    #[aggregate]
    pub(super) struct Shout {}

    #[aggregate(vis = pub(super))]
    impl Shout {
        #[event(Heard)]
        pub(super) fn new() -> Self {
            Self {}
        }
    }

    macro_rules! mountain {
        ($name:ident) => {
            #[process_application]
            pub(super) struct $name;

            #[process_application]
            impl $name {
                #[policy(Shout::Heard)]
                fn echo(
                    &self,
                    _: &DomainEvent<ShoutHeard>,
                    processing_event: &mut ProcessingEvent,
                ) -> Result<()> {
                    processing_event.collect_events(&mut Shout::new());
                    Ok(())
                }
            }
        };
    }

    mountain!(Ping);
    mountain!(Pong);
}

#[test]
fn waiting_for_a_cycle_that_feeds_itself_ends_and_names_the_edges_that_lag() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let env = files(dir.path());
        let system = System::new(pipes![[endless::Ping, endless::Pong, endless::Ping]])?;
        let mut runner: R = started(&system, env.clone())?;
        endless::Ping::new(env)?.save(&mut endless::Shout::new())?;
        let error = error_of(runner.wait_until_idle(Duration::from_millis(300)));
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        runner.stop()
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

#[test]
fn the_status_shows_the_positions_and_that_all_is_well() -> Result<()> {
    let runner: SingleThreadedRunner = started(&school_and_counters()?, Env::new())?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    let status = runner.status();
    assert_eq!(status.len(), 1);
    assert_eq!(status[0].follower, "Counters");
    assert_eq!(status[0].edges.len(), 1);
    assert_eq!(status[0].edges[0].upstream, "DogSchool");
    assert_eq!(status[0].edges[0].position, Some(2));
    assert!(matches!(status[0].condition, Condition::Running));
    runner.watch_for_errors(Duration::ZERO)
}

#[test]
fn the_threads_of_a_runner_inherit_its_clock_and_ids() -> Result<()> {
    let start: Timestamp = "2024-01-02T03:04:05+00:00".parse().expect("a time");
    let source: Arc<dyn es_system::testing::source::Source> =
        Arc::new(FixedSource::starting_at(start));
    es_system::testing::source::with_source(Some(source), || {
        let runner: MultiThreadedRunner = started(&school_and_counters()?, Env::new())?;
        let school = runner.get::<DogSchool>()?;
        school.register_dog("Billy")?;
        school.add_trick("Billy", "sit")?;
        runner.wait_until_idle(PATIENCE)?;
        let counters = runner.get::<Counters>()?;
        let counter: Counter = counters.repository().get(Counter::create_id("sit"))?;
        assert_eq!(
            counter.created_on().to_string(),
            "2024-01-02T03:04:05.000002+00:00"
        );
        Ok(())
    })
}

/// An application that saves to another one of the system from inside a policy.
mod relayed {
    use std::sync::{Arc, Mutex, PoisonError};

    use es_system::prelude::*;
    use tests::domain::{Dog, DogTrickAdded};

    #[application]
    pub(super) struct North;

    pub(super) static NORTH: Mutex<Option<Arc<North>>> = Mutex::new(None);

    #[process_application]
    pub(super) struct Watcher;

    #[process_application]
    impl Watcher {
        #[policy(Dog::TrickAdded)]
        fn relay(&self, event: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
            let north = NORTH.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let mut dog = Dog::register(&event.trick);
            dog.add_trick(&event.trick);
            north.expect("the test sets it").save(&mut dog)?;
            Ok(())
        }
    }
}

#[test]
fn what_a_policy_saves_to_another_application_is_followed_when_the_command_returns() -> Result<()> {
    let system = System::new(pipes![
        [DogSchool, relayed::Watcher],
        [relayed::North, Counters]
    ])?;
    let runner: SingleThreadedRunner = started(&system, Env::new())?;
    *relayed::NORTH.lock().expect("no panic") = Some(runner.get()?);
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 1);
    Ok(())
}

/// A store that never prompts.
struct Silent;

impl Around for Silent {
    fn listen(&self, _: &dyn ProcessRecorder, _: &Arc<Signal>) -> Result<Listening, StoreError> {
        Ok(Listening::new(|| ()))
    }
}

#[test]
fn losing_every_prompt_delays_processing_by_a_poll_interval_and_loses_nothing() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let stores = Wrapping {
        application: "DogSchool",
        around: Arc::new(Silent),
    };
    let env = files(dir.path())
        .with("POLL_INTERVAL", "0.02")
        .with_store(Arc::new(stores));
    let runner: MultiThreadedRunner = started(&school_and_counters()?, env)?;
    let mut counted = runner.get::<Counters>()?.subscribe(0)?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    for _ in 0..5 {
        school.add_trick("Billy", "sit")?;
        let incremented =
            counted.find(|e| e.as_ref().is_ok_and(|e| e.topic.ends_with("Incremented")));
        assert!(
            incremented.is_some(),
            "it is processed while nobody waits for it"
        );
    }
    Ok(())
}
