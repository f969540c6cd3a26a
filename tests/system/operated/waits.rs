//! The wait for an event that its follower has set aside or passes over.

use es_system::operating::Operate;
use es_system::prelude::*;
use es_system::store::DecisionKind;
use es_system::{Condition, Saved};
use tests::PATIENCE;
use tests::domain::{Dog, DogSchool};

use super::ledger::{ALWAYS, Ledger, LedgerTable, Poison, Writer};
use super::{Store, sql_stores, stores, wait_until};

/// Saves a trick of a dog that is registered with it.
fn save(school: &DogSchool, trick: &str) -> Result<Saved> {
    let mut dog = Dog::register(trick);
    dog.add_trick(trick);
    school.save(&mut dog)
}

/// Asserts that a wait for the second of two events that were saved is told that it is passed over.
fn assert_refused<W: Writer>(
    saved: &Saved,
    ledger: &std::sync::Arc<W>,
    expected: Option<DecisionKind>,
) -> Result<()> {
    let refused = saved.wait_in::<W>(ledger, PATIENCE);
    let Err(Error::SetAside {
        application,
        upstream,
        position,
        decision,
        problem,
        ..
    }) = refused
    else {
        panic!("{refused:?}");
    };
    assert_eq!((&*application, &*upstream), ("Ledger", "DogSchool"));
    assert_eq!(Some(position), saved.last_position());
    assert_eq!(decision, expected);
    if expected != Some(DecisionKind::Skipped) {
        assert!(problem.contains("is poison"), "{problem}");
    }
    Ok(())
}

/// Starts a ledger that fails on `A1`, under a rule.
fn start<W: Writer>(store: &Store, poison: &Poison, rule: &str) -> Result<MultiThreadedRunner> {
    poison.set("A1", ALWAYS);
    let env = store.env.clone().with("LEDGER_ON_ERROR", rule);
    let mut runner = MultiThreadedRunner::new(&W::system(poison)?, env)?;
    runner.start()?;
    Ok(runner)
}

fn set_aside_and_discarded<W: Writer>(store: &Store) -> Result<()> {
    let poison = Poison::default();
    let mut runner = start::<W>(store, &poison, "set_aside")?;
    let (school, ledger) = (runner.get::<DogSchool>()?, runner.get::<W>()?);
    let poisoned = save(&school, "A1")?;
    let good = save(&school, "B1")?;
    good.wait_in::<W>(&runner, PATIENCE)?;
    assert_refused::<W>(&poisoned, &ledger, None)?;
    let position = poisoned.last_position().expect("it was saved");
    assert!(
        ledger.position_in("DogSchool")? >= Some(position),
        "it has passed"
    );
    runner.discard::<W>("DogSchool", position)?;
    assert_refused::<W>(&poisoned, &ledger, Some(DecisionKind::Discarded))?;
    good.wait_in::<W>(&ledger, PATIENCE)?;

    poison.set("C1", 1);
    let mended = save(&school, "C1")?;
    save(&school, "D1")?.wait_in::<W>(&runner, PATIENCE)?;
    assert_refused::<W>(&mended, &ledger, None)?;
    runner.retry::<W>("DogSchool", None)?;
    mended.wait_in::<W>(&ledger, PATIENCE)?;
    assert_eq!(ledger.written()?, ["B1", "D1", "C1"], "{}", store.name);
    runner.stop()
}

fn skipped<W: Writer>(store: &Store) -> Result<()> {
    let mut runner = start::<W>(store, &Poison::default(), "stop")?;
    let (school, ledger) = (runner.get::<DogSchool>()?, runner.get::<W>()?);
    let poisoned = save(&school, "A1")?;
    let error = poisoned
        .wait_in::<W>(&runner, PATIENCE)
        .expect_err("it has stopped");
    assert!(error.to_string().contains("poison"), "{error}");
    let elsewhere = poisoned.wait_in::<W>(&ledger, Duration::from_millis(20));
    let error = elsewhere.expect_err("the application alone does not know why");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    let position = poisoned.last_position().expect("it was saved");
    runner.skip::<W>("DogSchool", position)?;
    assert_refused::<W>(&poisoned, &ledger, Some(DecisionKind::Skipped))?;
    save(&school, "B1")?.wait_in::<W>(&runner, PATIENCE)?;
    let goes_on = || Ok(matches!(runner.status()[0].condition, Condition::Running));
    wait_until("the follower goes on", &runner, goes_on)?;
    assert_eq!(ledger.written()?, ["B1"], "{}", store.name);
    runner.stop()
}

#[test]
fn whoever_waits_for_an_event_is_told_that_it_is_set_aside_or_discarded() -> Result<()> {
    stores()
        .iter()
        .try_for_each(set_aside_and_discarded::<Ledger>)?;
    sql_stores()
        .iter()
        .try_for_each(set_aside_and_discarded::<LedgerTable>)
}

#[test]
fn whoever_waits_for_an_event_is_told_that_it_is_skipped() -> Result<()> {
    stores().iter().try_for_each(skipped::<Ledger>)?;
    sql_stores().iter().try_for_each(skipped::<LedgerTable>)
}
