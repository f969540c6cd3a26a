//! Stopping while a statement of a handler does not end: what is waited for is the store.

use std::sync::Mutex;

use es_system::prelude::*;
use es_system::testing::postgres::Database;
use tests::domain::{Dog, DogSchool, DogTrickAdded};
use tests::postgres;

use super::{taught, until};

/// Executes statements that do not end by themselves.
#[projection]
struct Slow;

type Interrupt = Box<dyn Fn() + Send>;

/// Ends the statement of the handler on SQLite.
static INTERRUPT: Mutex<Option<Interrupt>> = Mutex::new(None);

const LOCK: &str = "SELECT pg_advisory_xact_lock(7)";

#[projection]
impl Slow {
    fn tables(_: &mut Transaction<'_>) -> Result<()> {
        Ok(())
    }

    #[policy(Dog::TrickAdded)]
    fn wait(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        tx: &mut Transaction<'_>,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if let Some(connection) = tx.sqlite() {
            let handle = connection.get_interrupt_handle();
            let interrupt = Box::new(move || handle.interrupt());
            INTERRUPT.lock().expect("no panic").replace(interrupt);
            let endless = "WITH RECURSIVE n (i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n) \
                           SELECT count(*) FROM n";
            tx.query(endless, &[])?;
        } else if event.trick == "by the driver" {
            let driver = tx.postgres().expect("the other store");
            driver.query(LOCK, &[])?;
        } else {
            tx.execute(LOCK, &[])?;
        }
        Ok(())
    }
}

fn runner_with(env: &Env, trick: &str) -> Result<MultiThreadedRunner> {
    let system = System::new(pipes![[DogSchool, Slow]])?;
    let mut runner = MultiThreadedRunner::new(&system, env.clone())?;
    taught(&*runner.get::<DogSchool>()?, &[trick])?;
    runner.start()?;
    Ok(runner)
}

/// Stops the runner, until the error tells that it waits for a store.
fn waits_for_the_store(runner: &mut MultiThreadedRunner) {
    until("it waits for a store", || {
        let stopped = runner.stop_within(Duration::from_millis(50));
        let error = stopped.expect_err("the statement does not end").to_string();
        error.contains("it waits for a store, and not for a policy")
    });
}

/// Returns the number of sessions that wait for the lock of the handler.
fn waiting(database: &Database) -> i64 {
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory' \
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let row = database.connect().query_one(waiting, &[]);
    row.expect("the locks are listed").get(0)
}

#[test]
fn a_statement_that_does_not_end_is_the_store_and_not_the_policy() -> Result<()> {
    for trick in ["by the library", "by the driver"] {
        let Some(place) = postgres() else { break };
        let database = place.database.as_ref().expect("a database");
        let mut holder = database.connect();
        holder
            .batch_execute("SELECT pg_advisory_lock(7)")
            .expect("a lock");
        let mut runner = runner_with(&place.env, trick)?;
        until("the handler waits", || waiting(database) > 0);
        waits_for_the_store(&mut runner);
        drop(holder);
        runner.stop()?;
    }
    let env = Env::new().with("PERSISTENCE_MODULE", "sqlite");
    let mut runner = runner_with(&env.with("SQLITE_DBNAME", ":memory:"), "sit")?;
    until("the handler has begun", || {
        INTERRUPT.lock().expect("no panic").is_some()
    });
    waits_for_the_store(&mut runner);
    let interrupt = INTERRUPT.lock().expect("no panic").take();
    interrupt.expect("it is there")();
    runner.stop()
}
