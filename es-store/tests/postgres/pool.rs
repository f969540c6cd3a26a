//! The pools of connections: who finds all of them busy waits for a limited time.

use std::thread;

use es_store::testing::postgres::database;
use es_store::{Access, End, Role};

use super::open;

#[test]
fn who_finds_all_connections_busy_waits_for_a_limited_time_and_is_told_the_keys() {
    let Some(database) = database() else { return };
    let env = database
        .env()
        .with("POSTGRES_POOL_SIZE", "1")
        .with("POSTGRES_MAX_OVERFLOW", "1")
        .with("POSTGRES_CONNECT_TIMEOUT", "1");
    let dogs = open("Dogs", Role::Follower, &env);
    let read = |work: &mut dyn FnMut()| {
        dogs.transact(Access::Read, &mut |_| {
            work();
            Ok(End::Rollback)
        })
    };
    // The thread of each transaction waits for the next one.
    let on_another_thread = |work: &mut (dyn FnMut() + Send)| {
        thread::scope(|scope| scope.spawn(work).join().expect("no panic"));
    };
    let mut refused = None;
    read(&mut || {
        on_another_thread(&mut || {
            read(&mut || on_another_thread(&mut || refused = read(&mut || {}).err()))
                .expect("the second connection");
        });
    })
    .expect("the first connection");
    let error = refused.expect("there is no third connection");
    let error = es_core::error_chain(&error).to_string();
    for part in [
        "all 2 connections were busy for 1s (POSTGRES_CONNECT_TIMEOUT)",
        "POSTGRES_POOL_SIZE",
        "POSTGRES_MAX_OVERFLOW",
    ] {
        assert!(error.contains(part), "{error}");
    }
    read(&mut || {}).expect("all are free");
}
