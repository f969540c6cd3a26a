//! Recorders that share a database within a process.

use std::sync::Arc;
use std::time::Duration;

use es_store::{NotificationQuery, Role, Signal, StoreError};

use super::{Folder, env, event, open, raw, recording, refused};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn memory_is_shared_by_name_while_anyone_holds_it() {
    let shared = env("file:shared-by-name?mode=memory&cache=shared");
    let (first, second) = (
        open("Dogs", Role::Leader, &shared),
        open("Dogs", Role::Leader, &shared),
    );
    let signal = Signal::new();
    let _listening = second.listen(&signal).expect("listening");
    first.record(&recording(1, [1])).expect("recorded");
    assert_ne!(signal.rings(), 0, "all recorders of that name are rung");
    drop(first);
    assert!(second.head().expect("read").is_some());
    assert!(
        refused("Cats", Role::Leader, &shared)
            .to_string()
            .contains("`Dogs`")
    );
    let other = open(
        "Dogs",
        Role::Leader,
        &env("file:another-name?mode=memory&cache=shared"),
    );
    assert_eq!(other.head().expect("read"), None);
    drop((second, _listening));
    assert_eq!(
        open("Cats", Role::Leader, &shared).head().expect("read"),
        None
    );
}

#[test]
fn private_memory_is_shared_with_nobody() {
    for name in [":memory:", "file:private?mode=memory"] {
        let (first, second) = (
            open("Dogs", Role::Leader, &env(name)),
            open("Cats", Role::Leader, &env(name)),
        );
        first.record(&recording(1, [1])).expect("recorded");
        assert_eq!(second.head().expect("read"), None);
    }
}

#[test]
fn two_recorders_of_one_file_see_and_wake_each_other() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let (first, second) = (
        open("Dogs", Role::Leader, &env(&path)),
        open("Dogs", Role::Leader, &env(&path)),
    );
    let signal = Signal::new();
    let _listening = second.listen(&signal).expect("listening");
    first.record(&recording(1, [1])).expect("recorded");
    assert_ne!(signal.wait(0, LONG), 0);
    let conflict = second.record(&recording(1, [1]));
    assert!(
        matches!(conflict, Err(StoreError::Conflict(_))),
        "{conflict:?}"
    );
}

#[test]
fn listening_ends_with_the_last_listener_and_begins_again() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let (dogs, other) = (open("Dogs", Role::Leader, &env(&path)), raw(&path));
    let insert = "INSERT INTO stored_events SELECT hex(randomblob(16)), 1, 't:A.B', x'7b7d'";
    for _ in 0..20 {
        let signals = [Signal::new(), Signal::new()];
        let listening = signals
            .each_ref()
            .map(|signal| dogs.listen(signal).expect("listening"));
        other.execute(insert, []).expect("a row");
        assert!(signals.iter().all(|signal| signal.wait(0, LONG) > 0));
        drop(listening);
    }
}

#[test]
fn a_listener_may_outlive_its_recorder() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let (dogs, signal) = (open("Dogs", Role::Leader, &env(&path)), Signal::new());
    let listening = dogs.listen(&signal).expect("listening");
    drop(dogs);
    open("Dogs", Role::Leader, &env(&path))
        .record(&recording(1, [1]))
        .expect("recorded");
    assert_ne!(signal.wait(0, LONG), 0);
    drop(listening);
}

#[test]
fn a_failed_transaction_leaves_the_connection_usable() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let dogs: Arc<_> = open("Dogs", Role::Leader, &env(&path));
    // A trigger of another program fails in the middle of a recording.
    raw(&path)
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON stored_events WHEN new.originator_version = 3 \
             BEGIN SELECT RAISE(ABORT, 'no more'); END",
        )
        .expect("a trigger");
    let failed = dogs.record(&recording(1, 1..=3)).expect_err("fails");
    let message = failed.to_string();
    assert!(
        message.ends_with("recording events was refused"),
        "{message}"
    );
    let source = std::error::Error::source(&failed).expect("SQLite's own error");
    assert_eq!(
        source.to_string(),
        "no more",
        "it is not in the message too"
    );
    assert_eq!(
        dogs.select_notifications(&NotificationQuery::all())
            .expect("read")
            .len(),
        0
    );
    dogs.record(&recording(1, 1..=2)).expect("recorded");
}

#[test]
fn the_printed_statements_make_all_that_an_application_needs() {
    let folder = Folder::new();
    let path = folder.path("counters.sqlite");
    let env = env(&path).with("CREATE_TABLE", "n");
    let statements = es_store::ddl("Counters", Role::Follower, &env).expect("printed");
    raw(&path).execute_batch(&statements).expect("they run");
    let counters = open("Counters", Role::Follower, &env);
    counters.record(&recording(1, [1, 2])).expect("recorded");
    counters.record_snapshot(&event(1, 2)).expect("kept");
}
