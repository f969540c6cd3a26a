//! The story and the commands print what they should.

use std::path::Path;
use std::time::Instant;

use es_system::Env;

use crate::worker::Worker;
use crate::{PATIENCE, program};

/// Runs the program, and returns what it prints if it succeeds.
fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = program(folder, &Env::new()).args(arguments).output();
    let output = output.expect("the program can be run");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {problem}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_story_is_the_one_that_is_checked_in() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert_eq!(run(folder.path(), &[]), include_str!("../output.txt"));
}

/// The same request is sent until the order is confirmed, and again afterwards.
#[test]
fn processes_share_the_shop_and_its_operator_sees_how_it_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = |arguments: &[&str]| run(folder.path(), arguments);
    assert_eq!(
        run(&["receive", "mug", "1250", "10"]),
        "mug: 10 available\n"
    );
    let _worker = Worker::start(folder.path(), &Env::new(), &[]);
    let began = Instant::now();
    while run(&["order", "ann-1", "Ann", "mug", "2"]) != "2 mug: confirmed\n" {
        assert!(began.elapsed() < PATIENCE, "the order is not confirmed");
    }
    assert_eq!(run(&["receive", "mug", "1250", "0"]), "mug: 8 available\n");
    let status = run(&["status"]);
    for follower in ["Stock", "Payments", "Publisher", "OrderBoard"] {
        let line = status.lines().find(|line| line.starts_with(follower));
        assert!(line.is_some(), "{follower}: {status}");
    }
    assert_eq!(run(&["failures", "list"]), "no event is set aside\n");
    assert!(run(&["log", "Orders"]).contains("Order.Confirmed"));
}
