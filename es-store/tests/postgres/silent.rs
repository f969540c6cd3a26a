//! Servers that keep a connection open and do not answer: nothing waits for them without end.

use std::error::Error;
use std::iter;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use es_store::{Access, End, Env, Role, Signal, StoreError};
use tempfile::TempDir;

use super::proxy::{Ends, Point, Proxy};
use super::{Database, database, drop_functions, open, recording, refused, versions};

/// Returns settings with short limits.
fn env(database: &Database) -> Env {
    let env = database.env().with("POSTGRES_REQUEST_TIMEOUT", "1");
    env.with("POSTGRES_LOCK_TIMEOUT", "1")
        .with("POLICY_TIMEOUT", "1")
        .with("POSTGRES_CONNECT_TIMEOUT", "6")
}

#[test]
fn a_commit_that_is_not_answered_is_sent_again_and_recorded_once() {
    let Some(database) = database() else { return };
    for (application, marker) in [("Dogs", "test:Thing.Happened"), ("PlainDogs", "COMMIT")] {
        let env = env(&database).with("CREATE_TABLE", "n");
        open(application, Role::Follower, &database.env());
        if marker == "COMMIT" {
            drop_functions(&database, application);
        }
        let proxy = Proxy::start(&env);
        let dogs = open(application, Role::Follower, &proxy.env());
        for version in 1..=2 {
            proxy.trap(marker, Point::Silent, || {});
            let recorded = dogs.record(&recording(1, [version])).expect("recorded");
            assert!(proxy.has_sprung(), "the commit was answered");
            assert_eq!(recorded.positions.len(), 1);
        }
        assert_eq!(versions(&*dogs), [1, 2]);
    }
}

#[test]
fn a_read_that_is_not_answered_is_sent_again() {
    let Some(database) = database() else { return };
    let proxy = Proxy::start(&env(&database));
    let dogs = open("Dogs", Role::Leader, &proxy.env());
    dogs.record(&recording(1, 1..=3)).expect("recorded");
    for _ in 0..2 {
        assert_eq!(versions(&*dogs), [1, 2, 3]);
        proxy.silence();
    }
    assert_eq!(versions(&*dogs), [1, 2, 3]);
}

#[test]
fn a_transaction_of_a_projection_that_is_not_answered_is_begun_again() {
    let Some(database) = database() else { return };
    let proxy = Proxy::start(&env(&database));
    let dogs = open("Dogs", Role::Follower, &proxy.env());
    let mut done = 0;
    for access in [Access::Read, Access::Write, Access::Read] {
        dogs.transact(access, &mut |tx| {
            assert_eq!(tx.query("SELECT 1 AS one", &[]).expect("one").len(), 1);
            done += 1;
            Ok(End::Commit)
        })
        .expect("a transaction");
        proxy.silence();
    }
    assert_eq!(done, 3);
}

#[test]
fn in_a_transaction_that_is_not_answered_any_more_a_statement_is_an_error_of_the_store() {
    let Some(database) = database() else { return };
    let proxy = Proxy::start(&env(&database));
    let dogs = open("Dogs", Role::Follower, &proxy.env());
    let failed = dogs.transact(Access::Write, &mut |tx| {
        proxy.silence();
        let unanswered = tx.execute("SELECT 1", &[]);
        assert!(unanswered.is_err());
        Ok(End::Commit)
    });
    let Err(StoreError::Driver { error, .. }) = failed else {
        panic!("{failed:?}");
    };
    let expected = "no answer within 2.0 s (POSTGRES_REQUEST_TIMEOUT)";
    assert!(error.to_string().contains(expected), "{error}");
}

/// Returns the messages of an error and its causes.
fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(Some(error), |error| (*error).source());
    let messages: Vec<_> = causes.map(ToString::to_string).collect();
    messages.join(": ")
}

/// Returns a host that can be reached and accepts no connection.
fn silent_host() -> (TempDir, UnixListener) {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = UnixListener::bind(folder.path().join(".s.PGSQL.5432"));
    (folder, socket.expect("a socket"))
}

/// Returns settings with the host and port of `first`, followed by those of `second`.
fn hosts(first: &Env, second: &Env) -> Env {
    ["POSTGRES_HOST", "POSTGRES_PORT"]
        .into_iter()
        .fold(second.clone(), |env, key| {
            let get = |of: &Env| of.get(key).unwrap_or_default().to_owned();
            let both = format!("{},{}", get(first), get(second));
            env.with(key, both)
        })
}

#[test]
fn a_silent_host_leaves_time_for_the_next() {
    let Some(database) = database() else { return };
    let (folder, _listener) = silent_host();
    let silent = env(&database)
        .with("POSTGRES_HOST", folder.path().to_str().expect("a path"))
        .with("POSTGRES_PORT", "5432");
    let dogs = open("Dogs", Role::Leader, &hosts(&silent, &env(&database)));
    dogs.record(&recording(1, [1])).expect("recorded");
    assert_eq!(versions(&*dogs), [1]);
}

#[test]
fn a_host_that_falls_silent_at_the_first_statements_leaves_time_for_the_next() {
    let Some(database) = database() else { return };
    let proxy = Proxy::start(&env(&database));
    let env = hosts(&proxy.env(), &env(&database));
    for marker in ["transaction_read_only", "client_connection_check_interval"] {
        proxy.trap(marker, Point::Silent, || {});
        open("Dogs", Role::Leader, &env);
        assert!(proxy.has_sprung(), "{marker} was answered");
    }
}

#[test]
fn a_server_that_is_silent_names_the_limit_for_connecting() {
    let Some(database) = database() else { return };
    let proxy = Proxy::start(&env(&database));
    let env = proxy.env().with("POSTGRES_CONNECT_TIMEOUT", "1");
    let dogs = open("Dogs", Role::Leader, &env);
    assert!(versions(&*dogs).is_empty());
    proxy.silence_new();
    proxy.silence();
    let since = Instant::now();
    for refusal in [
        dogs.head().expect_err("nobody answers"),
        refused("Dogs", Role::Leader, &env),
    ] {
        let expected = "no answer within 1.0 s (POSTGRES_CONNECT_TIMEOUT)";
        let whole = with_causes(&refusal);
        assert!(whole.contains(expected), "{whole}");
    }
    assert!(since.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_host_that_was_silent_is_not_asked_first_again_by_each_new_connection() {
    let Some(database) = database() else { return };
    let (folder, _listener) = silent_host();
    let silent = env(&database)
        .with("POSTGRES_HOST", folder.path().to_str().expect("a path"))
        .with("POSTGRES_PORT", "5432");
    let proxy = Proxy::start(&env(&database));
    let dogs = open("Dogs", Role::Leader, &hosts(&silent, &proxy.env()));
    let since = Instant::now();
    for version in 1..=5 {
        dogs.record(&recording(1, [version])).expect("recorded");
        assert_eq!(versions(&*dogs).len() as u64, version);
        // Each of the two needs a new connection.
        proxy.cut(Ends::Both);
    }
    // The silent host takes half of the limit, which is three seconds, each time it is asked.
    assert!(since.elapsed() < Duration::from_secs(9), "{since:?}");
}

#[test]
fn a_host_that_freezes_is_left_for_the_next_within_the_limits() {
    let Some(database) = database() else { return };
    let (first, second) = (Proxy::start(&env(&database)), Proxy::start(&env(&database)));
    let dogs = open("Dogs", Role::Leader, &hosts(&first.env(), &second.env()));
    dogs.record(&recording(1, [1])).expect("recorded");
    assert_eq!(versions(&*dogs), [1]);
    first.silence();
    first.silence_new();
    let since = Instant::now();
    dogs.record(&recording(1, [2]))
        .expect("recorded by the second");
    assert_eq!(versions(&*dogs), [1, 2]);
    // A request takes two seconds, and the first host three; reading and writing each meet both.
    assert!(since.elapsed() < Duration::from_secs(20), "{since:?}");
    first.cut(Ends::Both);
}

#[test]
fn a_listener_whose_server_keeps_silent_begins_again() {
    let Some(database) = database() else { return };
    let direct = open("Dogs", Role::Leader, &database.env());
    let proxy = Proxy::start(&env(&database));
    let dogs = open("Dogs", Role::Leader, &proxy.env());
    let signal = Signal::new();
    let _listening = dogs.listen(&signal).expect("listening");
    for version in 1..=2 {
        let seen = signal.rings();
        proxy.silence();
        // It rings because commits may have been missed, and is told of those to come.
        let rung = signal.wait(seen, Duration::from_secs(30));
        assert_ne!(rung, seen, "nobody noticed");
        direct.record(&recording(1, [version])).expect("recorded");
        assert_ne!(signal.wait(rung, Duration::from_secs(30)), rung);
    }
}
