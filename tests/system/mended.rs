//! An error that a call of a policy has mended is no failure of a store: the policy runs once.

use std::sync::{Arc, Mutex};

use es_system::prelude::*;
use es_system::store::{Conflict, StoreError};
use es_system::testing::{Call, FaultyRecorder, FaultyStores, Moment};
use tests::PATIENCE;
use tests::domain::{Dog, DogSchool, DogTrickAdded};

type Deposit = Arc<dyn Fn(&DogSchool) -> Result<()> + Send + Sync>;

/// The other application, and the way in which the policy uses it.
static OTHER: Mutex<Option<(Arc<DogSchool>, Deposit)>> = Mutex::new(None);
/// One test at a time uses it.
static TURN: Mutex<()> = Mutex::new(());

#[process_application]
struct Depositor;

#[process_application]
impl Depositor {
    #[policy(Dog::TrickAdded)]
    fn deposit(&self, _: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
        let other = OTHER.lock().expect("no panic").clone();
        let (other, deposit) = other.expect("an application");
        deposit(&other)
    }
}

/// Runs a policy that deposits in another application whose store has faults. Returns how often it
/// ran, and how much was deposited.
fn deposited(
    faults: impl Fn(&FaultyRecorder),
    deposit: impl Fn(&DogSchool) -> Result<()> + Send + Sync + 'static,
) -> Result<(u64, usize)> {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let stores = Arc::new(FaultyStores::in_memory());
    let other = Arc::new(DogSchool::new(Env::new().with_store(stores.clone()))?);
    other.register_dog("Bank")?;
    faults(&stores.get("DogSchool").expect("it is open"));
    let runs = Arc::new(Mutex::new(0));
    let counted = runs.clone();
    let deposit: Deposit = Arc::new(move |other| {
        *counted.lock().expect("no panic") += 1;
        deposit(other)
    });
    *OTHER.lock().expect("no panic") = Some((other.clone(), deposit));
    let system = System::new(pipes![[DogSchool, Depositor]])?;
    let mut runner = SingleThreadedRunner::new(&system, Env::new())?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    runner.wait_until_idle(PATIENCE)?;
    let runs = *runs.lock().expect("no panic");
    Ok((runs, other.get_dog("Bank")?.tricks.len()))
}

fn bank() -> Uuid {
    Dog::create_id("Bank")
}

fn unknown() -> StoreError {
    StoreError::outcome_unknown("faulty", "the answer was lost")
}

fn lost() -> StoreError {
    StoreError::driver("faulty", "connecting", "nobody is there")
}

fn conflict() -> StoreError {
    StoreError::Conflict(Conflict::new(bank(), 2))
}

fn execute(other: &DogSchool) -> Result<()> {
    other.execute::<Dog, _>(bank(), |dog| {
        dog.add_trick("100");
        Ok(())
    })
}

#[test]
fn a_doubt_that_execute_has_mended_is_no_failure() -> Result<()> {
    for moment in [Moment::Before, Moment::After] {
        let once = deposited(
            |store| {
                store.fail(Call::Record, 1, moment, unknown());
                store.fail(Call::Record, 2, Moment::Before, lost());
            },
            execute,
        )?;
        assert_eq!(once, (1, 1), "{moment:?}");
    }
    Ok(())
}

#[test]
fn a_conflict_that_execute_has_mended_is_no_failure_and_not_the_reason_of_the_next() -> Result<()> {
    let faults = |store: &FaultyRecorder| {
        store.fail(Call::Record, 1, Moment::Before, conflict());
    };
    assert_eq!(deposited(faults, execute)?, (1, 1));
    // A policy that then fails for a reason of its own is not run again as if it had conflicted.
    let runs = Arc::new(Mutex::new(0));
    let counted = runs.clone();
    let stopped = deposited(faults, move |other| {
        execute(other)?;
        *counted.lock().expect("no panic") += 1;
        Err(Error::Usage("a reason of its own".to_owned()))
    });
    let error = stopped.expect_err("the policy fails");
    assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
    assert_eq!(*runs.lock().expect("no panic"), 1);
    Ok(())
}

#[test]
fn what_the_command_of_a_mended_run_has_met_is_no_failure() -> Result<()> {
    // The command meets a failure in its first run, which ends in a conflict.
    let faults = |store: &FaultyRecorder| {
        store.fail(Call::Head, 1, Moment::Before, lost());
        store.fail(Call::Record, 1, Moment::Before, conflict());
    };
    let once = deposited(faults, |other| {
        other.execute::<Dog, _>(bank(), |dog| {
            let _ignored = other.notification_log().head();
            dog.add_trick("100");
            Ok(())
        })
    })?;
    assert_eq!(once, (1, 1));
    let once = deposited(faults, |other| {
        other.retry(|| {
            let _ignored = other.notification_log().head();
            let mut dog: Dog = other.repository().get(bank())?;
            dog.add_trick("100");
            other.save(&mut dog).map(drop)
        })
    })?;
    assert_eq!(once, (1, 1));
    Ok(())
}

#[test]
fn a_lost_connection_is_mended_by_the_same_call() -> Result<()> {
    let faults = |store: &FaultyRecorder| {
        store.fail(Call::SelectSnapshots, 1, Moment::Before, lost());
        store.fail(Call::Record, 1, Moment::Before, lost());
        store.fail(Call::Record, 2, Moment::Before, conflict());
    };
    let once = deposited(faults, |other| {
        let get = || other.repository().get::<Dog>(bank());
        let mut dog = get().or_else(|_| get())?;
        dog.add_trick("100");
        let save = |dog: &mut Dog| other.save(dog);
        for _ in 0..2 {
            assert!(save(&mut dog).is_err());
        }
        save(&mut dog).map(drop)
    })?;
    assert_eq!(once, (1, 1));
    Ok(())
}

#[test]
fn a_doubt_that_the_policy_settles_is_mended() -> Result<()> {
    let faults = |store: &FaultyRecorder| {
        (1..=6).for_each(|nth| store.fail(Call::Record, nth, Moment::Before, unknown()));
    };
    let once = deposited(faults, |other| {
        let error = execute(other).expect_err("nobody answers");
        let doubt = error.doubt().expect("a doubt");
        doubt.settle().expect_err("nobody answers");
        doubt.settle().map(drop)
    })?;
    assert_eq!(once, (1, 1));
    Ok(())
}

#[test]
fn an_error_of_a_store_that_the_policy_ignores_has_its_batch_run_again() -> Result<()> {
    let faults = |store: &FaultyRecorder| {
        store.fail(Call::SelectSnapshots, 1, Moment::Before, lost());
    };
    // What cannot be read is not what is not there.
    let twice = deposited(faults, |other| {
        let found = other.repository().get::<Dog>(bank()).ok();
        if let Some(mut dog) = found {
            dog.add_trick("100");
            other.save(&mut dog)?;
        }
        Ok(())
    })?;
    assert_eq!(twice, (2, 1));
    // Another call that succeeds does not mend it.
    let twice = deposited(faults, |other| {
        let _ignored = other.repository().get::<Dog>(bank()).ok();
        execute(other)
    })?;
    assert_eq!(twice, (1, 1), "the same aggregate was loaded again");
    let twice = deposited(faults, |other| {
        let _ignored = other.repository().get::<Dog>(bank()).ok();
        other.register_dog("Milly").or_else(|_| Ok(()))
    })?;
    assert_eq!(twice, (2, 0));
    // A conflict that is ignored tells the policy of another writer, and that is all.
    let faults = |store: &FaultyRecorder| {
        store.fail(Call::Record, 1, Moment::Before, conflict());
    };
    let once = deposited(faults, |other| {
        let mut dog: Dog = other.repository().get(bank())?;
        dog.add_trick("100");
        let _ignored = other.save(&mut dog).ok();
        Ok(())
    })?;
    assert_eq!(once, (1, 0));
    Ok(())
}
