//! Handlers and stores that fail.

use std::sync::Arc;

use es_system::prelude::*;
use es_system::store::{StoreError, sqlite};
use es_system::testing::{Call, FaultyStores, Moment};
use tests::domain::DogSchool;
use tests::journal::{self, Journal};
use tests::{PATIENCE, Place};

use super::{journal_system, sql_places, taught};

/// Lets a handler fail at one position of a batch of five. The events before it are processed, and
/// its own changes are undone. After the repair the follower continues, and every event is
/// processed once.
fn stops_in_front_of<R: Runner>(place: &Place, mishap: &str, at: usize) -> Result<String> {
    let unique = format!(
        "{mishap} {} {at} {}",
        place.name,
        std::any::type_name::<R>()
    );
    let mut runner = R::new(&journal_system()?, place.env.clone())?;
    let school = runner.get::<DogSchool>()?;
    let before = school.notification_log().head()?;
    let mut tricks = ["sit"; 5];
    tricks[at] = &unique;
    taught(&school, &tricks)?;
    runner.start()?;
    let error = runner.wait_until_idle(PATIENCE).expect_err("it stops");
    assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
    let failed = school.notification_log().head()? - 4 + at as u64;
    let journal = runner.get::<Journal>()?;
    let processed = journal.positions()?;
    assert_eq!(
        processed,
        (2..failed).collect::<Vec<u64>>(),
        "{unique}: {error}"
    );
    assert_eq!(
        journal.position_in("DogSchool")?.unwrap_or(0).max(1),
        failed - 1
    );
    assert!(
        error
            .to_string()
            .contains(&format!("at position {failed} of `DogSchool`")),
        "{error}"
    );
    runner.stop()?;
    journal::mend(&unique);
    // A database in memory disappears with its runner.
    if place.name != "sqlite :memory:" && place.name != "sqlite named memory" {
        let mut runner = R::new(&journal_system()?, place.env.clone())?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        let head = school.notification_log().head()?;
        let positions = runner.get::<Journal>()?.positions()?;
        assert_eq!(positions, (2..=head).collect::<Vec<u64>>());
        runner.stop()?;
    } else {
        assert_eq!(before, 0);
    }
    Ok(error.to_string())
}

fn on_every_store<R: Runner>(mishap: &str, at: usize, said: &str) -> Result<()> {
    for place in sql_places() {
        let error = stops_in_front_of::<R>(&place, mishap, at)?;
        assert!(error.contains(said), "{error}");
    }
    Ok(())
}

#[test]
fn an_error_at_every_position_of_a_batch_rolls_back_itself_alone() -> Result<()> {
    let said = "the handler fails";
    (0..5).try_for_each(|at| on_every_store::<SingleThreadedRunner>("fail", at, said))?;
    on_every_store::<MultiThreadedRunner>("fail", 3, said)
}

#[test]
fn a_panic_is_an_error_of_its_handler() -> Result<()> {
    on_every_store::<MultiThreadedRunner>("panic", 3, "panicked: the handler panics")
}

#[test]
fn a_statement_that_fails_is_its_handlers_error() -> Result<()> {
    on_every_store::<SingleThreadedRunner>("wrong", 2, "nowhere")
}

#[test]
fn a_failed_statement_whose_error_is_passed_over_is_an_error_all_the_same() -> Result<()> {
    on_every_store::<SingleThreadedRunner>("swallow", 2, "nowhere")
}

#[test]
fn a_handler_cannot_commit() -> Result<()> {
    on_every_store::<SingleThreadedRunner>("commit", 1, "`COMMIT` is refused")
}

#[test]
fn a_handler_that_ends_the_drivers_own_transaction_has_failed() -> Result<()> {
    for word in ["rawcommit", "rawrollback"] {
        for place in sql_places() {
            let error = stops_in_front_of::<SingleThreadedRunner>(&place, word, 2)?;
            let said = match place.name {
                "postgres" => "only the library ends it",
                _ => "not authorized",
            };
            assert!(error.contains(said), "{error}");
        }
    }
    Ok(())
}

#[test]
fn the_drivers_own_transaction_may_be_used_by_some_handlers_and_not_by_others() -> Result<()> {
    for place in sql_places() {
        let mut runner = SingleThreadedRunner::new(&journal_system()?, place.env.clone())?;
        taught(
            &*runner.get::<DogSchool>()?,
            &["sit", "raw", "sit", "raw", "sit"],
        )?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        let journal = runner.get::<Journal>()?;
        assert_eq!(journal.positions()?, [2, 3, 4, 5, 6], "{}", place.name);
        runner.rebuild::<Journal>(|_| {})?;
        assert_eq!(journal.positions()?, [2, 3, 4, 5, 6], "{}", place.name);
    }
    Ok(())
}

#[test]
fn inside_a_handler_nothing_is_read_or_saved_but_by_its_transaction() -> Result<()> {
    on_every_store::<SingleThreadedRunner>(
        "read",
        1,
        "use the transaction that the handler was given",
    )?;
    on_every_store::<SingleThreadedRunner>("save", 1, "inside a policy")
}

#[test]
fn a_store_that_waits_for_its_own_transaction_is_told_so() -> Result<()> {
    for place in sql_places() {
        let error = stops_in_front_of::<SingleThreadedRunner>(&place, "store", 1)?;
        assert!(error.contains("inside a transaction of its own"), "{error}");
    }
    Ok(())
}

#[test]
fn a_handler_that_takes_too_long_has_failed() -> Result<()> {
    for place in sql_places() {
        let env = place.env.clone().with("JOURNAL_POLICY_TIMEOUT", "0.05");
        let mut runner = SingleThreadedRunner::new(&journal_system()?, env)?;
        runner.start()?;
        // The time passes while the handler waits.
        journal::hook_on_this_thread(|position| {
            if position == 3 {
                std::thread::park_timeout(std::time::Duration::from_millis(400));
            }
        });
        taught(&*runner.get::<DogSchool>()?, &["sit", "sit"])?;
        let error = runner.wait_until_idle(PATIENCE).expect_err("it stops");
        assert!(
            error.to_string().contains("POLICY_TIMEOUT"),
            "{}: {error}",
            place.name
        );
        assert_eq!(runner.get::<Journal>()?.positions()?, [2]);
        journal::hook_on_this_thread(|_| {});
    }
    Ok(())
}

#[test]
fn a_statement_after_the_time_of_its_handler_is_no_failure_of_the_store() -> Result<()> {
    for place in sql_places() {
        let env = place.env.clone().with("JOURNAL_POLICY_TIMEOUT", "0.05");
        let mut runner = SingleThreadedRunner::new(&journal_system()?, env)?;
        runner.start()?;
        journal::hook_on_this_thread(|position| {
            if position == 3 {
                std::thread::park_timeout(std::time::Duration::from_millis(400));
            }
        });
        // Behind the hook it executes a statement, in a transaction that PostgreSQL has ended.
        taught(&*runner.get::<DogSchool>()?, &["sit", "raw late", "sit"])?;
        let error = runner.wait_until_idle(PATIENCE).expect_err("it stops");
        let said = error.to_string();
        assert!(said.contains("POLICY_TIMEOUT"), "{}: {said}", place.name);
        assert_eq!(runner.get::<Journal>()?.positions()?, [2]);
        journal::hook_on_this_thread(|_| {});
    }
    Ok(())
}

#[test]
fn a_store_that_fails_after_a_long_time_is_no_failure_of_the_handler() -> Result<()> {
    let stores = Arc::new(FaultyStores::new(sqlite::open));
    let memory = Env::new()
        .with("SQLITE_DBNAME", ":memory:")
        .with("JOURNAL_POLICY_TIMEOUT", "0.05");
    let env = memory.with_store(stores.clone());
    let mut runner = SingleThreadedRunner::new(&journal_system()?, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    let asked = std::cell::Cell::new(false);
    let other = school.clone();
    journal::hook_on_this_thread(move |position| {
        if position == 3 && !asked.replace(true) {
            std::thread::park_timeout(std::time::Duration::from_millis(400));
            let store = stores.get("DogSchool").expect("it is open");
            let error = StoreError::read_only("faulty", "a read");
            store.fail(Call::Head, 1, Moment::Before, error);
            assert!(other.notification_log().head().is_err());
        }
    });
    taught(&school, &["sit", "sit"])?;
    runner.wait_until_idle(PATIENCE)?;
    journal::hook_on_this_thread(|_| {});
    assert_eq!(runner.get::<Journal>()?.positions()?, [2, 3]);
    Ok(())
}

#[test]
fn a_failure_of_the_store_is_tried_again_and_nothing_is_doubled() -> Result<()> {
    fn flow<R: Runner>(nth: u64, moment: Moment) -> Result<()> {
        let stores = Arc::new(FaultyStores::new(sqlite::open));
        let memory = Env::new().with("SQLITE_DBNAME", ":memory:");
        let mut runner = R::new(&journal_system()?, memory.with_store(stores.clone()))?;
        let lost = StoreError::outcome_unknown("faulty", "the connection was lost");
        let store = stores.get("Journal").expect("it is open");
        store.fail(Call::Transact, nth, moment, lost);
        runner.start()?;
        taught(&*runner.get::<DogSchool>()?, &["sit", "sit", "sit"])?;
        runner.wait_until_idle(PATIENCE)?;
        runner.stop()?;
        let positions = || runner.get::<Journal>()?.positions();
        assert_eq!(positions().or_else(|_| positions())?, [2, 3, 4]);
        Ok(())
    }
    for moment in [Moment::Before, Moment::After] {
        for nth in 1..=4 {
            flow::<SingleThreadedRunner>(nth, moment)?;
            flow::<MultiThreadedRunner>(nth, moment)?;
        }
    }
    Ok(())
}
