//! Failures of a database by what mends them: an event's content is the failure of that event, and
//! a configuration is told as such and tried again until it is right.

mod configuration;
mod content;

use std::time::Instant;

use es_system::prelude::*;
use es_system::testing::postgres::Database;
use es_system::{Condition, FollowerStatus};
use tests::PATIENCE;

/// Executes statements as the owner of the database.
fn run(database: &Database, sql: &str) {
    let done = database.connect().batch_execute(sql);
    done.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// Checks a condition again and again, while the runner works.
fn wait_until(what: &str, runner: &impl Runner, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(
            since.elapsed() < PATIENCE,
            "it never happens: {what}: {:?}",
            runner.status()
        );
        // A single-threaded runner works during the wait.
        let _idle = runner.wait_until_idle(Duration::from_millis(5));
    }
}

/// Returns the condition of the only follower.
fn condition(runner: &impl Runner) -> Condition {
    let statuses: [FollowerStatus; 1] = runner.status().try_into().expect("one follower");
    let [status] = statuses;
    status.condition
}
