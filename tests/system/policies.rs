//! The rights and views of a policy, and the consequences of its failure.

use es_system::prelude::*;
use tests::domain::{Counter, Dog, DogSchool, DogTrickAdded};
use tests::{PATIENCE, Place, files, places};

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Counts tricks, and acts as the names of some tricks say.
#[process_application]
struct Watcher;

#[process_application]
impl Watcher {
    #[policy(Dog::TrickAdded)]
    fn watch(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<(), AnyError> {
        match event.trick.as_str() {
            "fail" => return Err("told to fail".into()),
            "panic" => panic!("told to panic"),
            "collect and fail" => {
                self.count(event, processing_event)?;
                return Err("told to fail after collecting".into());
            }
            "save" => self.save(&mut Counter::new("saved")).map(drop)?,
            "collect an old copy" => self.collect_an_old_copy(processing_event)?,
            _ => self.count(event, processing_event)?,
        }
        Ok(())
    }

    fn count(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let found = self.repository().find(Counter::create_id(&event.trick))?;
        let mut counter = found.unwrap_or_else(|| Counter::new(&event.trick));
        counter.increment();
        processing_event.collect_events(&mut counter);
        Ok(())
    }

    fn collect_an_old_copy(&self, processing_event: &mut ProcessingEvent) -> Result<()> {
        let mut counter = Counter::new("twice");
        let mut old_copy = counter.clone();
        processing_event.collect_events(&mut counter);
        processing_event.collect_events(&mut old_copy);
        Ok(())
    }

    fn get_count(&self, trick: &str) -> Result<u64> {
        let counter = self
            .repository()
            .find::<Counter>(Counter::create_id(trick))?;
        Ok(counter.map_or(0, |counter| counter.count))
    }
}

/// The same application with its policy repaired: it counts every trick.
#[process_application(name = "Watcher")]
struct Mended;

#[process_application]
impl Mended {
    #[policy(Dog::TrickAdded)]
    fn count(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let mut counter = Counter::new(&format!("seen {}", event.notification_id));
        counter.increment();
        processing_event.collect_events(&mut counter);
        Ok(())
    }
}

/// Creates a school with Billy, who was taught `tricks` before a follower started.
fn school_with(env: &Env, tricks: &[&str]) -> Result<()> {
    let school = DogSchool::new(env.clone())?;
    let mut billy = Dog::register("Billy");
    tricks.iter().for_each(|trick| billy.add_trick(trick));
    school.save(&mut billy)?;
    school.close();
    Ok(())
}

fn watched<R: Runner>(env: &Env) -> Result<R> {
    let mut runner = R::new(&System::new(pipes![[DogSchool, Watcher]])?, env.clone())?;
    runner.start()?;
    Ok(runner)
}

fn stops_in_front_of<R: Runner>(poison: &str, at: usize) -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = files(dir.path());
    let mut tricks = ["sit"; 6];
    tricks[at] = poison;
    school_with(&env, &tricks)?;

    let mut runner: R = watched(&env)?;
    let error = runner
        .wait_until_idle(PATIENCE)
        .expect_err("the follower has stopped");
    assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
    // The registration is at position 1, the first trick at 2.
    let position = at as u64 + 2;
    let expected = format!(
        "Watcher: the policy for `dogschool:Dog.TrickAdded` failed at position {position} of `DogSchool`"
    );
    assert!(error.to_string().starts_with(&expected), "{error}");
    let watcher = runner.get::<Watcher>()?;
    assert_eq!(
        watcher.get_count("sit")?,
        at as u64,
        "everything before it is processed"
    );
    assert_eq!(watcher.get_count(poison)?, 0, "what it collected is undone");

    let school = runner.get::<DogSchool>()?;
    school.add_trick("Billy", "sit")?;
    assert_eq!(
        watcher.get_count("sit")?,
        at as u64,
        "nothing behind it is processed"
    );
    runner.stop()?;
    drop(runner);
    goes_on_when_mended::<R>(&env, position)
}

fn goes_on_when_mended<R: Runner>(env: &Env, position: u64) -> Result<()> {
    let mut runner = R::new(&System::new(pipes![[DogSchool, Mended]])?, env.clone())?;
    runner.start()?;
    runner.wait_until_idle(PATIENCE)?;
    let log = runner.get::<Mended>()?.notification_log();
    let mended = log
        .select(1, 1000)?
        .into_iter()
        .filter(|event| event.topic.ends_with("Created"));
    let names: Vec<_> = mended
        .map(|event| String::from_utf8_lossy(&event.state).into_owned())
        .collect();
    let seen: Vec<u64> = (position..=8).collect();
    let seen_names = seen.iter().map(|position| format!("\"seen {position}\""));
    let tail = &names[names.len() - seen.len()..];
    for (name, expected) in tail.iter().zip(seen_names) {
        assert!(
            name.contains(&expected),
            "{name} is not {expected}: not in order, or not once"
        );
    }
    Ok(())
}

#[test]
fn a_failing_policy_stops_its_follower_in_front_of_the_event_until_it_is_mended() -> Result<()> {
    for at in 0..6 {
        for poison in ["fail", "collect and fail"] {
            stops_in_front_of::<SingleThreadedRunner>(poison, at)?;
            stops_in_front_of::<MultiThreadedRunner>(poison, at)?;
        }
    }
    Ok(())
}

#[test]
fn a_policy_that_panics_is_an_error_and_not_a_panic() -> Result<()> {
    stops_in_front_of::<SingleThreadedRunner>("panic", 3)?;
    stops_in_front_of::<MultiThreadedRunner>("panic", 3)
}

#[test]
fn a_failing_policy_does_not_fail_the_command_that_made_the_event() -> Result<()> {
    let runner: SingleThreadedRunner = watched(&Env::new())?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "fail")?;
    school.add_trick("Billy", "sit")?;
    assert_eq!(school.get_dog("Billy")?.tricks, ["fail", "sit"]);
    let error = runner
        .watch_for_errors(PATIENCE)
        .expect_err("the follower has stopped");
    assert!(error.to_string().ends_with(": told to fail"), "{error}");
    Ok(())
}

fn error_of_trick(trick: &str) -> Result<String> {
    let runner: SingleThreadedRunner = watched(&Env::new())?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", trick)?;
    Ok(runner
        .watch_for_errors(Duration::ZERO)
        .expect_err("the follower has stopped")
        .to_string())
}

#[test]
fn to_save_inside_a_policy_is_an_error_that_names_collect_events() -> Result<()> {
    let error = error_of_trick("save")?;
    assert!(error.contains("collect_events"), "{error}");
    Ok(())
}

#[test]
fn to_collect_an_older_copy_is_the_policys_failure() -> Result<()> {
    let error = error_of_trick("collect an old copy")?;
    assert!(error.contains("was collected already"), "{error}");
    Ok(())
}

#[test]
fn a_panic_in_a_policy_says_what_it_said() -> Result<()> {
    let error = error_of_trick("panic")?;
    assert!(error.ends_with("panicked: told to panic"), "{error}");
    Ok(())
}

#[test]
fn within_a_batch_a_policy_sees_what_the_batch_has_collected() -> Result<()> {
    for Place { name, env, .. } in places()
        .into_iter()
        .filter(|place| place.name == "sqlite file")
    {
        school_with(&env, &["sit"; 50])?;
        let runner: SingleThreadedRunner = watched(&env)?;
        assert_eq!(runner.get::<Watcher>()?.get_count("sit")?, 50, "{name}");
    }
    Ok(())
}

/// An aggregate whose state cannot be cloned, so that a batch replays it.
#[aggregate]
struct Tally {
    marks: u64,
    _not_clone: std::sync::Mutex<()>,
}

#[aggregate(vis = pub(self))]
impl Tally {
    #[id]
    fn create_id(name: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
    }

    #[event(Begun)]
    fn begin(name: &str) -> Self {
        let _the_id_is_made_of_the_name = name;
        Self {
            marks: 0,
            _not_clone: std::sync::Mutex::new(()),
        }
    }

    #[event(Marked)]
    fn mark(&mut self) {
        self.marks += 1;
    }
}

#[process_application(name = "Second")]
struct Tallies;

#[process_application]
impl Tallies {
    #[policy(Dog::TrickAdded)]
    fn mark(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let found = self.repository().find(Tally::create_id(&event.trick))?;
        let mut tally = found.unwrap_or_else(|| Tally::begin(&event.trick));
        tally.mark();
        processing_event.collect_events(&mut tally);
        Ok(())
    }
}

#[test]
fn an_aggregate_that_cannot_be_cloned_is_replayed_within_a_batch() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = files(dir.path());
    school_with(&env, &["sit"; 20])?;
    let mut runner = SingleThreadedRunner::new(&System::new(pipes![[DogSchool, Tallies]])?, env)?;
    runner.start()?;
    let tally = runner
        .get::<Tallies>()?
        .repository()
        .get::<Tally>(Tally::create_id("sit"))?;
    assert_eq!((tally.marks, tally.version()), (20, 21));
    Ok(())
}

#[test]
fn a_user_may_save_the_aggregate_that_a_follower_changes_at_the_same_time() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = files(dir.path());
    let runner: MultiThreadedRunner = watched(&env)?;
    let school = runner.get::<DogSchool>()?;
    let watcher = runner.get::<Watcher>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    runner.wait_until_idle(PATIENCE)?;
    let by_hand = std::thread::scope(|scope| {
        let by_hand = scope.spawn(|| increment_by_hand(&watcher, 40));
        (0..40).try_for_each(|_| school.add_trick("Billy", "sit"))?;
        by_hand.join().expect("no panic")
    })?;
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(watcher.get_count("sit")?, 41 + by_hand);
    Ok(())
}

/// Increments the counter `times` times, loading it again after each conflict.
fn increment_by_hand(watcher: &Watcher, times: u64) -> Result<u64> {
    let mut done = 0;
    while done < times {
        let mut counter = watcher
            .repository()
            .get::<Counter>(Counter::create_id("sit"))?;
        counter.increment();
        match watcher.save(&mut counter) {
            Ok(_) => done += 1,
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Claims the topic of the tutorial's dog.
mod impostor {
    use es_system::prelude::*;

    #[aggregate(topic = "dogschool:Dog")]
    pub(super) struct Cat {}

    #[aggregate(vis = pub(super))]
    impl Cat {
        #[event(Registered)]
        pub(super) fn register() -> Self {
            Self {}
        }
    }
}

#[process_application(name = "Second")]
struct Confused;

#[process_application]
impl Confused {
    #[policy(Dog::TrickAdded)]
    fn dogs(&self, _: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }

    #[policy(impostor::Cat::Registered)]
    fn cats(
        &self,
        _: &DomainEvent<impostor::CatRegistered>,
        _: &mut ProcessingEvent,
    ) -> Result<()> {
        Ok(())
    }
}

#[test]
fn policies_for_two_aggregates_of_one_topic_are_an_error_at_the_start() -> Result<()> {
    let system = System::new(pipes![[DogSchool, Confused]])?;
    let Err(error) = SingleThreadedRunner::new(&system, Env::new()) else {
        panic!("one topic has two owners");
    };
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(
        error
            .to_string()
            .contains("stored under the topic `dogschool:Dog`"),
        "{error}"
    );
    Ok(())
}

#[test]
fn an_application_that_meets_two_aggregates_of_one_topic_refuses_the_second() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    school.register_dog("Billy")?;
    let error = school
        .save(&mut impostor::Cat::register())
        .expect_err("the topic is taken");
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    Ok(())
}
