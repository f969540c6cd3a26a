//! Stores that fail: no event is lost or doubled, and every safe retry is made.

use std::sync::Arc;

use es_system::prelude::*;
use es_system::store::StoreError;
use es_system::testing::source;
use es_system::testing::{Call, FaultyStores, FixedSource, Moment};
use tests::PATIENCE;
use tests::domain::{Counter, CounterIncremented, Counters, Dog, DogSchool, DogTrickAdded};

#[test]
fn a_save_that_fails_keeps_what_is_pending_and_succeeds_when_it_is_tried_again() -> Result<()> {
    for nth in 1..=3 {
        let stores = Arc::new(FaultyStores::in_memory());
        let school = DogSchool::new(Env::new().with_store(stores.clone()))?;
        fail(&stores, "DogSchool", Call::Record, nth);
        let mut dog = Dog::register("Billy");
        for call in 1..=3 {
            dog.add_trick("sit");
            let pending = dog.pending_events().len();
            if call == nth {
                let error = school.save(&mut dog).expect_err("the disk is full");
                assert_eq!(
                    error.to_string(),
                    "DogSchool: faulty: read-only: a save is refused"
                );
                assert_eq!(dog.pending_events().len(), pending);
            }
            school.save(&mut dog)?;
            assert!(dog.pending_events().is_empty());
        }
        assert_eq!(school.get_dog("Billy")?.tricks, dog.tricks);
    }
    Ok(())
}

/// Makes the n-th call of an application's store fail.
fn fail(stores: &FaultyStores, application: &str, call: Call, nth: u64) {
    let error = StoreError::read_only("faulty", "a save");
    let store = stores.get(application).expect("the application is open");
    store.fail(call, nth, Moment::Before, error);
}

#[test]
fn a_failure_of_the_store_is_tried_again_by_itself_and_triggers_no_rule() -> Result<()> {
    fn flow<R: Runner>(call: Call, nth: u64) -> Result<()> {
        for application in ["DogSchool", "Counters"] {
            let stores = Arc::new(FaultyStores::in_memory());
            let env = Env::new().with_store(stores.clone());
            let mut runner = R::new(&System::new(pipes![[DogSchool, Counters]])?, env)?;
            fail(&stores, application, call, nth);
            runner.start()?;
            let school = runner.get::<DogSchool>()?;
            let mut billy = Dog::register("Billy");
            billy.add_trick("sit");
            let saved = school.save(&mut billy).or_else(|_| school.save(&mut billy));
            saved?;
            runner.wait_until_idle(PATIENCE)?;
            let counters = runner.get::<Counters>()?;
            let count = || counters.get_count("sit");
            assert_eq!(count().or_else(|_| count())?, 1);
            runner.watch_for_errors(Duration::ZERO)?;
        }
        Ok(())
    }
    for nth in 1..=4 {
        for call in [
            Call::Record,
            Call::SelectEvents,
            Call::SelectSnapshots,
            Call::SelectPage,
            Call::Head,
            Call::Tracked,
            Call::Followed,
        ] {
            flow::<SingleThreadedRunner>(call, nth)?;
            flow::<MultiThreadedRunner>(call, nth)?;
        }
    }
    Ok(())
}

/// Returns a plain and an encrypted environment. An encrypted event has other bytes in each
/// encoding.
fn envs() -> [Env; 2] {
    [Env::new(), crate::sealed::zlib_and_aes(Env::new())]
}

/// Returns a school whose next save is recorded, but reported as unknown.
fn in_doubt(env: Env) -> Result<(DogSchool, Dog)> {
    let stores = Arc::new(FaultyStores::in_memory());
    let school = DogSchool::new(env.with_store(stores.clone()))?;
    school.register_dog("Billy")?;
    let mut billy = school.get_dog("Billy")?;
    billy.add_trick("sit");
    let problem = "the connection was lost".to_owned();
    let error = StoreError::outcome_unknown("faulty", problem);
    stores
        .get("DogSchool")
        .expect("it is open")
        .fail(Call::Record, 1, Moment::After, error);
    let error = school.save(&mut billy).expect_err("the outcome is unknown");
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
    assert_eq!(billy.pending_events().len(), 1);
    Ok((school, billy))
}

#[test]
fn after_an_unknown_outcome_saving_again_finds_what_is_recorded_already() -> Result<()> {
    for env in envs() {
        let (school, mut billy) = in_doubt(env)?;
        school.save(&mut billy)?;
        assert!(billy.pending_events().is_empty());
        assert_eq!(school.get_dog("Billy")?.tricks, ["sit"], "once");
        billy.add_trick("roll over");
        school.save(&mut billy)?;
        assert_eq!(school.get_dog("Billy")?.tricks, ["sit", "roll over"]);
    }
    Ok(())
}

#[test]
fn what_was_saved_after_an_unknown_outcome_is_processed_when_the_command_returns() -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = Env::new().with_store(stores.clone());
    let mut runner = SingleThreadedRunner::new(&System::new(pipes![[DogSchool, Counters]])?, env)?;
    runner.start()?;
    let mut billy = Dog::register("Billy");
    billy.add_trick("sit");
    let problem = "the connection was lost".to_owned();
    let error = StoreError::outcome_unknown("faulty", problem);
    stores
        .get("DogSchool")
        .expect("it is open")
        .fail(Call::Record, 1, Moment::After, error);
    let school = runner.get::<DogSchool>()?;
    assert!(school.save(&mut billy).is_err());
    school.save(&mut billy)?;
    assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 1);
    Ok(())
}

/// Counts the increments of all counters.
#[process_application]
struct Total;

#[process_application]
impl Total {
    #[policy(Counter::Incremented)]
    fn count(
        &self,
        _: &DomainEvent<CounterIncremented>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let total = self.repository().find(Counter::create_id("all"))?;
        let mut total = total.unwrap_or_else(|| Counter::new("all"));
        total.increment();
        processing_event.collect_events(&mut total);
        Ok(())
    }
}

#[test]
fn what_a_follower_recorded_with_an_unknown_outcome_is_processed_when_the_command_returns()
-> Result<()> {
    for moment in [Moment::Before, Moment::After] {
        let stores = Arc::new(FaultyStores::in_memory());
        let env = Env::new().with_store(stores.clone());
        let system = System::new(pipes![[DogSchool, Counters, Total]])?;
        let mut runner = SingleThreadedRunner::new(&system, env)?;
        runner.start()?;
        let error = StoreError::outcome_unknown("faulty", "the connection was lost");
        let store = stores.get("Counters").expect("it is open");
        store.fail(Call::Record, 1, moment, error);
        let mut billy = Dog::register("Billy");
        billy.add_trick("sit");
        runner.get::<DogSchool>()?.save(&mut billy)?;
        assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 1);
        let total: Counter = runner
            .get::<Total>()?
            .repository()
            .get(Counter::create_id("all"))?;
        assert_eq!(total.count, 1, "{moment:?}");
    }
    Ok(())
}

#[test]
fn after_an_unknown_outcome_newer_events_are_saved_behind_what_is_recorded() -> Result<()> {
    for env in envs() {
        let (school, mut billy) = in_doubt(env)?;
        billy.add_trick("roll over");
        school.save((&mut billy, &mut Dog::register("Milly")))?;
        assert!(billy.pending_events().is_empty());
        assert_eq!(school.get_dog("Billy")?.tricks, ["sit", "roll over"]);
        assert!(school.contains(Dog::create_id("Milly"))?);
    }
    Ok(())
}

/// Returns a school, and Billy with a trick whose save has an unknown outcome. It was not recorded.
fn in_vain(env: Env) -> Result<(DogSchool, Dog)> {
    let stores = Arc::new(FaultyStores::in_memory());
    let school = DogSchool::new(env.with_store(stores.clone()))?;
    school.register_dog("Billy")?;
    let mut billy = school.get_dog("Billy")?;
    billy.add_trick("sit");
    let error = StoreError::outcome_unknown("faulty", "the connection was lost");
    let store = stores.get("DogSchool").expect("it is open");
    store.fail(Call::Record, 1, Moment::Before, error);
    assert!(school.save(&mut billy).is_err());
    Ok((school, billy))
}

#[test]
fn after_an_unknown_outcome_what_somebody_else_has_saved_is_a_conflict() -> Result<()> {
    for env in envs() {
        let (school, mut billy) = in_vain(env)?;
        school.add_trick("Billy", "roll over")?;
        let error = school.save(&mut billy).expect_err("another trick");
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        assert_eq!(billy.pending_events().len(), 1);
    }
    Ok(())
}

#[test]
fn after_an_unknown_outcome_an_encrypted_event_is_told_even_from_one_that_says_the_same()
-> Result<()> {
    let [_, env] = envs();
    let (school, mut billy) = in_vain(env)?;
    let same_moment = Arc::new(FixedSource::starting_at(billy.modified_on()));
    source::with_source(Some(same_moment), || school.add_trick("Billy", "sit"))?;
    let error = school.save(&mut billy).expect_err("somebody else's");
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    Ok(())
}

#[test]
fn an_attempt_in_doubt_with_another_key_is_encrypted_again() -> Result<()> {
    let [_, env] = envs();
    let (_, mut billy) = in_vain(env)?;
    let [_, other] = envs();
    let school = DogSchool::new(other)?;
    school.register_dog("Billy")?;
    school.save(&mut billy)?;
    assert_eq!(school.get_dog("Billy")?.tricks, ["sit"]);
    Ok(())
}

#[test]
fn a_conflict_without_an_unknown_outcome_stays_a_conflict_even_with_the_same_event() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    school.register_dog("Billy")?;
    let mut billy = school.get_dog("Billy")?;
    billy.add_trick("sit");
    let mut twin = billy.clone();
    school.save(&mut billy)?;
    assert_eq!(
        school.save(&mut twin).expect_err("a conflict").kind(),
        ErrorKind::Conflict
    );
    Ok(())
}

/// An error of a user's around the library's.
#[derive(Debug)]
struct Wrapped(Error);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the log cannot be read: {}", self.0)
    }
}

impl std::error::Error for Wrapped {}

#[process_application]
struct Reader;

#[process_application]
impl Reader {
    #[policy(Dog::TrickAdded)]
    fn read(&self, _: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<(), Wrapped> {
        self.notification_log().select(1, 10).map_err(Wrapped)?;
        Ok(())
    }
}

#[test]
fn a_store_that_fails_within_a_policy_is_no_failure_of_the_policy_however_it_is_wrapped()
-> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let stores = Arc::new(FaultyStores::in_memory());
        let env = Env::new().with_store(stores.clone());
        let mut runner = R::new(&System::new(pipes![[DogSchool, Reader]])?, env)?;
        runner.start()?;
        fail(&stores, "Reader", Call::SelectNotifications, 1);
        let school = runner.get::<DogSchool>()?;
        school.register_dog("Billy")?;
        school.add_trick("Billy", "sit")?;
        runner.wait_until_idle(PATIENCE)
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

#[test]
fn a_start_that_fails_may_be_tried_again() -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = Env::new().with_store(stores.clone());
    let mut runner = MultiThreadedRunner::new(&System::new(pipes![[DogSchool, Counters]])?, env)?;
    fail(&stores, "DogSchool", Call::Listen, 1);
    assert!(runner.start().is_err());
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 1);
    Ok(())
}
