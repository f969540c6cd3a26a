//! Several processes: this test binary starts itself again, with the work to do in its environment.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use es_store::{Env, NotificationQuery, Role, Signal, StoreError, Tracking};

use super::{Folder, env, open, recording};

const LONG: Duration = Duration::from_secs(60);
const WORK: &str = "ES_TEST_WORK";
const FILE: &str = "ES_TEST_FILE";

/// Starts a process that does the named work.
fn start(work: &str, path: &Path, number: u64) -> Child {
    Command::new(std::env::current_exe().expect("this binary"))
        .args([
            "--exact",
            "processes::the_work_of_another_process",
            "--ignored",
            "--nocapture",
        ])
        .env(WORK, format!("{work} {number}"))
        .env(FILE, path)
        .stdout(Stdio::null())
        .spawn()
        .expect("a process")
}

fn finish(processes: Vec<Child>) {
    for mut process in processes {
        assert!(process.wait().expect("its end").success());
    }
}

#[test]
#[ignore = "it is what the other processes do"]
fn the_work_of_another_process() {
    let Ok(work) = std::env::var(WORK) else {
        return;
    };
    let (work, number) = work.split_once(' ').expect("work and number");
    let number: u64 = number.parse().expect("a number");
    let path = PathBuf::from(std::env::var_os(FILE).expect("a file"));
    let env = env(path).with("SQLITE_LOCK_TIMEOUT", "60");
    match work {
        "start" => first_start(&env, number),
        "save" => save(&env, number),
        other => panic!("`{other}` is no work"),
    }
}

/// Opens a database that does not exist yet, and records an event.
fn first_start(env: &Env, number: u64) {
    let follower = open("Counters", Role::Follower, env);
    let upstream = format!("Up{number}");
    let recording =
        recording(u128::from(number) + 1, 1..=3).tracking(Tracking::new(&upstream, 0, 1));
    follower.record(&recording).expect("recorded");
}

/// Saves the next version of one aggregate 20 times, against all others.
fn save(env: &Env, _number: u64) {
    let recorder = open("Dogs", Role::Leader, env);
    let mut saved = 0;
    while saved < 20 {
        let version = recorder
            .head()
            .expect("read")
            .and_then(|head| head.event)
            .map_or(0, |event| event.originator_version)
            + 1;
        match recorder.record(&recording(1, [version])) {
            Ok(_) => saved += 1,
            Err(StoreError::Conflict(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn rounds(usual: u64) -> u64 {
    match std::env::var("ES_TORTURE") {
        Ok(factor) => usual * factor.parse::<u64>().unwrap_or(10),
        Err(_) => usual,
    }
}

#[test]
fn eight_processes_start_on_an_empty_database_at_once() {
    for _ in 0..rounds(10) {
        let folder = Folder::new();
        let path = folder.path("counters.sqlite");
        finish((0..8).map(|number| start("start", &path, number)).collect());
        let counters = open("Counters", Role::Follower, &env(&path));
        assert_eq!(
            counters
                .select_notifications(&NotificationQuery::all())
                .expect("read")
                .len(),
            24
        );
        assert!(
            (0..8).all(|number| counters.tracked(&format!("Up{number}")).expect("read") == Some(1))
        );
    }
}

#[test]
fn of_several_processes_that_save_one_version_exactly_one_wins() {
    for _ in 0..rounds(1) {
        let folder = Folder::new();
        let path = folder.path("dogs.sqlite");
        finish((0..4).map(|number| start("save", &path, number)).collect());
        let dogs = open("Dogs", Role::Leader, &env(&path));
        let log = dogs
            .select_notifications(&NotificationQuery::all())
            .expect("read");
        let versions: Vec<_> = log.iter().map(|event| event.originator_version).collect();
        assert_eq!(versions, (1..=80).collect::<Vec<_>>());
    }
}

#[test]
fn a_commit_of_another_process_is_noticed() {
    let folder = Folder::new();
    let path = folder.path("counters.sqlite");
    let (counters, signal) = (open("Counters", Role::Follower, &env(&path)), Signal::new());
    let _listening = counters.listen(&signal).expect("listening");
    let process = start("start", &path, 1);
    assert_ne!(signal.wait(0, LONG), 0);
    finish(vec![process]);
    assert_eq!(
        counters
            .head()
            .expect("read")
            .and_then(|head| head.event)
            .map(|event| event.originator_version),
        Some(3)
    );
}

/// A writer gets the lock beside another one that commits back to back. Nothing but the timeout of
/// the lock limits the wait; with SQLite's own busy handler it often exceeded that.
#[test]
fn a_writer_that_commits_back_to_back_lets_others_in() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let env = env(&path);
    let (busy, other) = (
        open("Dogs", Role::Leader, &env),
        open("Dogs", Role::Leader, &env),
    );
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut version = 0;
            while !done.load(std::sync::atomic::Ordering::Acquire) {
                version += 1;
                busy.record(&recording(1, [version]))
                    .expect("the busy one is not locked out");
            }
        });
        for version in 1..=20 {
            let recorded = other.record(&recording(2, [version]));
            if recorded.is_err() {
                done.store(true, std::sync::atomic::Ordering::Release);
            }
            recorded.expect("the other one is not locked out");
        }
        done.store(true, std::sync::atomic::Ordering::Release);
    });
}
