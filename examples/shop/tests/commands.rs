//! The story and the commands print what they should.

use std::path::Path;
use std::time::Instant;

use es_system::Env;
use shop::outside::FileBroker;
use tempfile::TempDir;

use crate::worker::Worker;
use crate::{PATIENCE, program};

const NOTHING: &str = "no event is set aside\n";

/// A folder in which the program runs.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs the program, and returns what it prints if it succeeds.
    fn run(&self, arguments: &[&str]) -> String {
        let output = program(self.path(), &Env::new()).args(arguments).output();
        let output = output.expect("the program can be run");
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {problem}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// Runs the program until it prints what is expected.
    fn run_until(&self, arguments: &[&str], is_expected: impl Fn(&str) -> bool) {
        let began = Instant::now();
        loop {
            let printed = self.run(arguments);
            if is_expected(&printed) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{arguments:?}: {printed}");
        }
    }
}

#[test]
fn the_story_is_the_one_that_is_checked_in() {
    let printed = Folder::new().run(&[]);
    assert_eq!(printed, include_str!("../output.txt"));
}

/// The same request is sent until the order is confirmed.
#[test]
fn processes_share_the_shop_and_its_operator_sees_how_it_is() {
    let folder = Folder::new();
    let printed = folder.run(&["receive", "mug", "1250", "10"]);
    assert_eq!(printed, "mug: 10 available\n");
    let _worker = Worker::start(folder.path(), &Env::new(), &[]);
    let order = ["order", "ann-1", "Ann", "mug", "2"];
    folder.run_until(&order, |printed| printed == "2 mug: confirmed\n");
    let printed = folder.run(&["receive", "mug", "1250", "0"]);
    assert_eq!(printed, "mug: 8 available\n");
    let status = folder.run(&["status"]);
    for follower in ["Stock", "Payments", "Publisher", "OrderBoard"] {
        let mut lines = status.lines();
        let is_there = lines.any(|line| line.starts_with(follower));
        assert!(is_there, "{follower}: {status}");
    }
    assert_eq!(folder.run(&["failures", "list"]), NOTHING);
}

/// The rule in the environment sets a message aside at its first failure, and for good.
#[test]
fn an_operator_changes_a_rule_and_has_a_message_tried_again() {
    let folder = Folder::new();
    folder.run(&["receive", "mug", "1250", "10"]);
    let rule = Env::new().with("PUBLISHER_ON_ERROR", "set_aside");
    let worker = Worker::start(folder.path(), &rule, &["--one-fails-of", "2"]);
    for (key, customer) in [("ann-1", "Ann"), ("bob-1", "Bob")] {
        let order = ["order", key, customer, "mug", "1"];
        folder.run_until(&order, |printed| printed == "1 mug: confirmed\n");
    }
    folder.run_until(&["failures", "list"], |printed| printed != NOTHING);
    drop(worker);
    let retried = folder.run(&["failures", "retry", "Publisher", "--yes"]);
    assert_eq!(retried, "Publisher <- Orders: 1 events processed\n");
    assert_eq!(folder.run(&["failures", "list"]), NOTHING);
    let broker = FileBroker::open(folder.path()).expect("a file");
    assert_eq!(broker.messages.entries().expect("a file").len(), 2);
}
