//! The tutorial, on every embedded store and with each runner.

use es_system::prelude::*;
use tests::domain::{Counters, DogSchool};
use tests::{Place, places};

fn run<R: Runner>(env: Env) -> Result<()> {
    let system = System::new(pipes![[DogSchool, Counters]])?;
    assert_eq!(system.nodes(), ["DogSchool", "Counters"]);
    assert_eq!(system.edges(), [("DogSchool", "Counters")]);

    let mut runner = R::new(&system, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    let counters = runner.get::<Counters>()?;

    for name in ["Billy", "Milly", "Scrappy"] {
        school.register_dog(name)?;
    }
    for name in ["Billy", "Milly", "Scrappy"] {
        school.add_trick(name, "roll over")?;
    }
    expect(&runner, &counters, [3, 0, 0])?;

    school.add_trick("Billy", "fetch ball")?;
    school.add_trick("Milly", "fetch ball")?;
    expect(&runner, &counters, [3, 2, 0])?;

    school.add_trick("Billy", "play dead")?;
    expect(&runner, &counters, [3, 2, 1])?;
    runner.stop()
}

fn expect<R: Runner>(runner: &R, counters: &Counters, counts: [u64; 3]) -> Result<()> {
    runner.wait_until_idle(Duration::from_secs(60))?;
    for (trick, count) in ["roll over", "fetch ball", "play dead"]
        .into_iter()
        .zip(counts)
    {
        assert_eq!(counters.get_count(trick)?, count);
    }
    Ok(())
}

#[test]
fn the_readmes_trick_is_counted() -> Result<()> {
    let system = System::new(pipes![[DogSchool, Counters]])?;
    let mut runner = SingleThreadedRunner::new(&system, Env::new())?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "roll over")?;
    assert_eq!(runner.get::<Counters>()?.get_count("roll over")?, 1);
    runner.stop()
}

#[test]
fn the_tutorial_runs_with_the_single_threaded_runner_on_every_store() -> Result<()> {
    places()
        .into_iter()
        .try_for_each(|Place { env, .. }| run::<SingleThreadedRunner>(env))
}

#[test]
fn the_tutorial_runs_with_the_multi_threaded_runner_on_every_store() -> Result<()> {
    places()
        .into_iter()
        .try_for_each(|Place { env, .. }| run::<MultiThreadedRunner>(env))
}

#[test]
fn with_the_single_threaded_runner_everything_is_processed_when_a_command_returns() -> Result<()> {
    for Place { name, env, .. } in places() {
        let system = System::new(pipes![[DogSchool, Counters]])?;
        let mut runner = SingleThreadedRunner::new(&system, env)?;
        runner.start()?;
        let (school, counters) = (runner.get::<DogSchool>()?, runner.get::<Counters>()?);
        school.register_dog("Billy")?;
        for count in 1..=3 {
            school.add_trick("Billy", "roll over")?;
            assert_eq!(counters.get_count("roll over")?, count, "{name}");
        }
    }
    Ok(())
}

#[test]
fn an_application_constructed_directly_reads_what_a_runner_has_recorded() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = tests::files(dir.path());
    run::<MultiThreadedRunner>(env.clone())?;
    let dog = DogSchool::new(env.clone())?.get_dog("Billy")?;
    assert_eq!(dog.name, "Billy");
    assert_eq!(dog.tricks, ["roll over", "fetch ball", "play dead"]);
    assert_eq!(dog.version(), 4);
    assert_eq!(Counters::new(env)?.get_count("roll over")?, 3);
    Ok(())
}

/// The other form of the tutorial: no id function, and `register_dog` returns a fresh id.
mod with_fresh_ids {
    use es_system::prelude::*;

    #[aggregate]
    pub(super) struct Dog {
        pub(super) name: String,
        pub(super) tricks: Vec<String>,
    }

    #[aggregate(vis = pub(super))]
    impl Dog {
        #[event(Registered)]
        pub(super) fn register(name: &str) -> Self {
            Self {
                name: name.to_owned(),
                tricks: Vec::new(),
            }
        }

        #[event(TrickAdded)]
        pub(super) fn add_trick(&mut self, trick: &str) {
            self.tricks.push(trick.to_owned());
        }
    }

    #[application]
    pub(super) struct DogSchool;

    impl DogSchool {
        pub(super) fn register_dog(&self, name: &str) -> Result<AggregateId> {
            let mut dog = Dog::register(name);
            self.save(&mut dog)?;
            Ok(dog.id().clone())
        }

        fn names(&self, dogs: &[AggregateId]) -> Result<Vec<String>> {
            dogs.iter()
                .map(|id| Ok(self.repository().get::<Dog>(id)?.name.clone()))
                .collect()
        }

        pub(super) fn add_trick(&self, dog_id: &AggregateId, trick: &str) -> Result<()> {
            let mut dog = self.repository().get::<Dog>(dog_id)?;
            dog.add_trick(trick);
            self.save(&mut dog)?;
            Ok(())
        }
    }

    #[aggregate]
    pub(super) struct Counter {
        pub(super) count: u64,
    }

    #[aggregate(vis = pub(super))]
    impl Counter {
        #[id]
        pub(super) fn create_id(name: &str) -> Uuid {
            Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
        }

        #[event(Created)]
        pub(super) fn new(name: &str) -> Self {
            let _the_id_is_made_of_the_name = name;
            Self { count: 0 }
        }

        #[event(Incremented)]
        pub(super) fn increment(&mut self) {
            self.count += 1;
        }
    }

    #[process_application]
    pub(super) struct Counters;

    #[process_application]
    impl Counters {
        #[policy(Dog::TrickAdded)]
        fn count_trick(
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

        pub(super) fn get_count(&self, trick: &str) -> Result<u64> {
            let counter = self
                .repository()
                .find::<Counter>(Counter::create_id(trick))?;
            Ok(counter.map_or(0, |counter| counter.count))
        }
    }

    pub(super) fn run<R: Runner>() -> Result<()> {
        let mut runner = R::new(&System::new(pipes![[DogSchool, Counters]])?, Env::new())?;
        runner.start()?;
        let (school, counters) = (runner.get::<DogSchool>()?, runner.get::<Counters>()?);
        let names = ["Billy", "Milly", "Scrappy"];
        let dogs = names.map(|name| school.register_dog(name));
        let dogs: Vec<_> = dogs.into_iter().collect::<Result<_>>()?;
        assert_eq!(school.names(&dogs)?, names);
        for dog in &dogs {
            school.add_trick(dog, "roll over")?;
        }
        runner.wait_until_idle(tests::PATIENCE)?;
        assert_eq!(counters.get_count("roll over")?, 3);
        assert_eq!(counters.get_count("fetch ball")?, 0);
        runner.stop()
    }
}

#[test]
fn without_an_id_function_each_dog_gets_a_fresh_id() -> Result<()> {
    with_fresh_ids::run::<SingleThreadedRunner>()?;
    with_fresh_ids::run::<MultiThreadedRunner>()
}
