//! Connections and locks that are lost while handlers run, and instances that are stopped.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use es_system::Condition;
use es_system::prelude::*;
use tests::PATIENCE;
use tests::domain::DogSchool;
use tests::journal::{self, Journal};

use super::{journal_system, sql_places, taught};

/// Ends the connections of the journal.
const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                         WHERE application_name = 'Journal' AND datname = current_database() \
                         AND state = 'idle in transaction'";

#[test]
fn a_connection_that_is_lost_in_a_handler_makes_the_batch_run_again() -> Result<()> {
    let Some(place) = tests::postgres() else {
        return Ok(());
    };
    let database = place.database.as_ref().expect("it is PostgreSQL");
    for lost_at in 1..=5 {
        let mut runner = SingleThreadedRunner::new(&journal_system()?, place.env.clone())?;
        let before = runner.get::<DogSchool>()?.notification_log().head()?;
        taught(&*runner.get::<DogSchool>()?, &["sit"; 5])?;
        let first = before.max(1);
        let is_lost = Rc::new(Cell::new(false));
        let lost = is_lost.clone();
        let client = RefCell::new(database.connect());
        journal::hook_on_this_thread(move |position| {
            if position == first + lost_at && !lost.replace(true) {
                let ended = client
                    .borrow_mut()
                    .query(TERMINATE, &[])
                    .expect("it is asked");
                assert_eq!(ended.len(), 1);
            }
        });
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        assert!(is_lost.get(), "the connection was lost");
        let head = runner.get::<DogSchool>()?.notification_log().head()?;
        let positions = runner.get::<Journal>()?.positions()?;
        assert_eq!(positions, (2..=head).collect::<Vec<u64>>());
        journal::hook_on_this_thread(|_| {});
    }
    Ok(())
}

#[test]
fn a_table_that_somebody_else_has_locked_is_waited_for_and_fails_no_policy() -> Result<()> {
    let Some(place) = tests::postgres() else {
        return Ok(());
    };
    let database = place.database.as_ref().expect("it is PostgreSQL");
    let env = place
        .env
        .clone()
        .with("JOURNAL_POSTGRES_LOCK_TIMEOUT", "0.05");
    let mut runner = MultiThreadedRunner::new(&journal_system()?, env)?;
    let mut other = database.connect();
    let lock = "BEGIN; LOCK TABLE journal IN ACCESS EXCLUSIVE MODE";
    other.batch_execute(lock).expect("it is locked");
    runner.start()?;
    taught(&*runner.get::<DogSchool>()?, &["sit", "sit"])?;
    let started = std::time::Instant::now();
    while !matches!(
        runner.status()[0].condition,
        Condition::Retrying { attempts: 2.., .. }
    ) {
        assert!(started.elapsed() < PATIENCE, "{:?}", runner.status());
        std::thread::yield_now();
    }
    other.batch_execute("COMMIT").expect("it is free");
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(runner.get::<Journal>()?.positions()?, [2, 3]);
    runner.stop()
}

#[test]
fn a_runner_that_is_stopped_while_a_handler_does_not_return_commits_nothing_of_it() -> Result<()> {
    for place in sql_places() {
        let trick = format!("wait {}", place.name);
        let mut runner = MultiThreadedRunner::new(&journal_system()?, place.env.clone())?;
        let school = runner.get::<DogSchool>()?;
        let journal = runner.get::<Journal>()?;
        taught(&school, &["sit", &trick, "sit"])?;
        runner.start()?;
        journal::wait_for_handler(&trick);
        let stopped = runner.stop_within(Duration::from_millis(50));
        let error = stopped.expect_err("the handler does not return");
        assert!(
            error.to_string().contains("position 3 of `DogSchool`"),
            "{error}"
        );
        journal::mend(&trick);
        runner.stop()?;
        assert_eq!(journal.positions()?, Vec::<u64>::new(), "{}", place.name);
    }
    Ok(())
}
