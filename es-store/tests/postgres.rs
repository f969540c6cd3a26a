//! PostgreSQL databases: their tables, lost connections, concurrent programs and refused settings.
//!
//! Without PostgreSQL these tests are skipped, with a message.

#[path = "postgres/bad.rs"]
mod bad;
#[path = "postgres/client.rs"]
mod client;
#[path = "postgres/earlier.rs"]
mod earlier;
#[path = "postgres/flushes.rs"]
mod flushes;
#[path = "postgres/former.rs"]
mod former;
#[path = "postgres/in_doubt.rs"]
mod in_doubt;
#[path = "postgres/leftovers.rs"]
mod leftovers;
#[path = "postgres/lost.rs"]
mod lost;
#[path = "postgres/moved.rs"]
mod moved;
#[path = "postgres/order.rs"]
mod order;
#[path = "postgres/pool.rs"]
mod pool;
#[path = "postgres/processes.rs"]
mod processes;
#[path = "postgres/proxy.rs"]
mod proxy;
#[path = "postgres/queue.rs"]
mod queue;
#[path = "postgres/remedies.rs"]
mod remedies;
#[path = "postgres/resent.rs"]
mod resent;
#[path = "postgres/restricted.rs"]
mod restricted;
#[path = "postgres/sequence.rs"]
mod sequence;
#[path = "postgres/shortage.rs"]
mod shortage;
#[path = "postgres/silent.rs"]
mod silent;
#[path = "postgres/standby.rs"]
mod standby;
#[path = "postgres/tables.rs"]
mod tables;
#[path = "postgres/unknown.rs"]
mod unknown;
#[path = "postgres/waiting.rs"]
mod waiting;

use std::sync::Arc;
use std::time::{Duration, Instant};

use es_core::AggregateId;
use es_store::testing::postgres::{Database, database};
use es_store::{Env, NotificationQuery, ProcessRecorder, Recording, Role, StoreError, StoredEvent};
use uuid::Uuid;

fn open(application: &str, role: Role, env: &Env) -> Arc<dyn ProcessRecorder> {
    es_store::open(application, role, env).expect("a database")
}

fn refused(application: &str, role: Role, env: &Env) -> StoreError {
    es_store::open(application, role, env)
        .err()
        .expect("refused")
}

fn id(number: u128) -> AggregateId {
    Uuid::from_u128(number).into()
}

fn event(number: u128, version: u64) -> StoredEvent {
    StoredEvent::new(
        id(number),
        version,
        "test:Thing.Happened",
        format!("{{\"version\":{version}}}").into_bytes(),
    )
}

fn recording(number: u128, versions: impl IntoIterator<Item = u64>) -> Recording {
    let events = versions.into_iter().map(|version| event(number, version));
    Recording::new(events.collect())
}

/// The versions in the log of an application that has one aggregate.
fn versions(recorder: &dyn ProcessRecorder) -> Vec<u64> {
    let all = recorder.select_notifications(&NotificationQuery::all());
    let all = all.expect("the log can be read");
    all.iter().map(|one| one.originator_version).collect()
}

/// Drops the functions that append events, so that the application continues with plain statements.
fn drop_functions(database: &Database, application: &str) {
    let drop = format!(
        "DO $$ DECLARE found regprocedure; BEGIN \
         FOR found IN SELECT oid FROM pg_proc WHERE proname = '{}_append_v3' LOOP \
         EXECUTE 'DROP FUNCTION ' || found; END LOOP; END $$",
        application.to_lowercase()
    );
    database.connect().batch_execute(&drop).expect("dropped");
}

/// Cuts all connections of an application, and returns their number.
fn cut(database: &Database, application: &str) -> i64 {
    let cut = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
               WHERE application_name = $1 AND datname = current_database()";
    database
        .connect()
        .query_one(cut, &[&application])
        .expect("cut")
        .get(0)
}

/// The processes of this database that wait for a lock.
fn waiters(database: &Database) -> Vec<i32> {
    let waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let rows = database.connect().query(waiting, &[]).expect("a list");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Waits until a process that is not among the `known` ones waits for a lock. Returns all that
/// wait.
fn wait_for_a_waiter(database: &Database, known: &[i32]) -> Vec<i32> {
    let is_new = |waiter: &i32| !known.contains(waiter);
    wait_until("nobody waits for a lock", || {
        Some(waiters(database)).filter(|waiters| waiters.iter().any(is_new))
    })
}

/// Waits until `look` finds something, for a minute at most.
fn wait_until<T>(otherwise: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(since.elapsed() < Duration::from_secs(60), "{otherwise}");
        std::thread::yield_now();
    }
}
