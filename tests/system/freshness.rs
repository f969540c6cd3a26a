//! A read model shows what was saved: the wait until a follower has processed it.

use std::time::Duration;

use es_system::Saved;
use es_system::prelude::*;
use tests::domain::{Counters, Dog, DogSchool, DogTrickAdded};
use tests::{PATIENCE, Place, places};

use crate::runners::{school_and_counters, started};

const MOMENT: Duration = Duration::from_millis(50);

/// Saves a dog with a trick.
fn taught(school: &DogSchool, name: &str) -> Result<Saved> {
    let mut dog = Dog::register(name);
    dog.add_trick("roll over");
    school.save(&mut dog)
}

#[test]
fn a_follower_has_processed_what_was_waited_for() -> Result<()> {
    fn check<R: Runner + HasBoth>(place: &Place) -> Result<()> {
        let runner = started::<R>(&school_and_counters()?, place.env.clone())?;
        let school = runner.get::<DogSchool>()?;
        for nth in 1..=20 {
            let saved = taught(&school, &format!("{} {nth}", std::any::type_name::<R>()))?;
            runner.wait(&saved, PATIENCE)?;
            let counters = runner.get::<Counters>()?;
            saved.wait_in::<Counters>(&counters, MOMENT)?;
            let so_far = counters.get_count("roll over")?;
            assert_eq!(so_far % 20, nth % 20, "{}", place.name);
        }
        Ok(())
    }
    for place in places() {
        check::<SingleThreadedRunner>(&place)?;
    }
    for place in places() {
        check::<MultiThreadedRunner>(&place)?;
    }
    Ok(())
}

/// Both runners can be asked how far `Counters` is.
trait HasBoth {
    fn wait(&self, saved: &Saved, timeout: Duration) -> Result<()>;
}

impl HasBoth for SingleThreadedRunner {
    fn wait(&self, saved: &Saved, timeout: Duration) -> Result<()> {
        saved.wait_in::<Counters>(self, timeout)
    }
}

impl HasBoth for MultiThreadedRunner {
    fn wait(&self, saved: &Saved, timeout: Duration) -> Result<()> {
        saved.wait_in::<Counters>(self, timeout)
    }
}

#[test]
fn events_that_no_policy_wants_are_passed() -> Result<()> {
    let runner = started::<MultiThreadedRunner>(&school_and_counters()?, Env::new())?;
    let school = runner.get::<DogSchool>()?;
    school
        .save(&mut Dog::register("Fido"))?
        .wait_in::<Counters>(&runner, PATIENCE)
}

#[test]
fn everything_that_is_recorded_so_far_can_be_waited_for() -> Result<()> {
    let runner = started::<MultiThreadedRunner>(&school_and_counters()?, Env::new())?;
    let school = runner.get::<DogSchool>()?;
    let nothing = school.saved_so_far()?;
    assert_eq!(nothing.to_string(), "DogSchool:");
    nothing.wait_in::<Counters>(&runner, Duration::ZERO)?;
    school.register_dog("Fido")?;
    school.add_trick("Fido", "sit")?;
    let saved: Saved = school.saved_so_far()?.to_string().parse()?;
    assert_eq!(saved.last_position(), Some(2));
    saved.wait_in::<Counters>(&runner, PATIENCE)?;
    assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 1);
    Ok(())
}

#[test]
fn a_follower_that_does_not_come_is_told_with_its_position() -> Result<()> {
    for place in places() {
        let system = school_and_counters()?;
        let runner = SingleThreadedRunner::new(&system, place.env.clone())?;
        let saved = taught(&*runner.get::<DogSchool>()?, "Fido")?;
        let late = saved.wait_in::<Counters>(&runner, MOMENT).err();
        let text = late.map(|error| error.to_string()).unwrap_or_default();
        let lag = "`Counters` is at 0 of 2 in `DogSchool`";
        assert!(text.contains(lag), "{}: {text}", place.name);
    }
    Ok(())
}

/// A follower whose policy always fails.
#[process_application]
pub struct Letters;

#[process_application]
impl Letters {
    #[policy(Dog::TrickAdded)]
    fn fail(&self, _: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<(), String> {
        Err("no stamps".to_owned())
    }
}

#[test]
fn a_follower_that_has_stopped_is_told_with_its_error() -> Result<()> {
    let system = System::new(pipes![[DogSchool, Letters]])?;
    let runner = started::<MultiThreadedRunner>(&system, Env::new())?;
    let saved = taught(&*runner.get::<DogSchool>()?, "Fido")?;
    let stopped = saved.wait_in::<Letters>(&runner, PATIENCE).err();
    let text = stopped.map(|error| error.to_string()).unwrap_or_default();
    assert!(text.contains("no stamps"), "{text}");
    Ok(())
}

#[test]
fn a_process_that_only_reads_asks_the_store_of_the_follower() -> Result<()> {
    for place in places().iter().filter(|place| !place.name.contains("mem")) {
        let runner = started::<MultiThreadedRunner>(&school_and_counters()?, place.env.clone())?;
        let saved = taught(&*runner.get::<DogSchool>()?, "Fido")?;
        let reader = SingleThreadedRunner::new(&school_and_counters()?, place.env.clone())?;
        saved.wait_in::<Counters>(&reader, PATIENCE)?;
        let counters = reader.get::<Counters>()?;
        assert_eq!(counters.get_count("roll over")?, 1, "{}", place.name);
    }
    Ok(())
}

#[test]
fn waiting_inside_a_policy_of_the_follower_is_refused() -> Result<()> {
    #[process_application]
    struct Waiting;

    #[process_application]
    impl Waiting {
        #[policy(Dog::TrickAdded)]
        fn wait(&self, event: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
            let _ = event;
            let saved: Saved = "DogSchool:2".parse()?;
            saved.wait_in::<Self>(self, PATIENCE)
        }
    }
    let system = System::new(pipes![[DogSchool, Waiting]])?;
    let runner = started::<SingleThreadedRunner>(&system, Env::new())?;
    taught(&*runner.get::<DogSchool>()?, "Fido")?;
    let error = runner.watch_for_errors(Duration::ZERO).err();
    let text = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(
        text.contains("`wait_in` was called inside a policy"),
        "{text}"
    );
    Ok(())
}
