//! `log`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::tool::{assert_shape, command, dog, places, sqlite};

#[test]
fn it_shows_the_events_and_their_values_only_if_asked() {
    for place in places() {
        place.fill();
        let without = place.good(&["log", "DogSchool", "--json"]);
        assert_shape("log", &without);
        assert!(!without.contains("roll over"), "{without}");
        let with = place.good(&["log", "DogSchool", "--json", "--values"]);
        assert!(with.contains(r#""trick":"roll over""#), "{with}");
        let text = place.good(&["log", "DogSchool", "--values"]);
        assert_eq!(text.lines().count(), 5);
        assert!(text.contains("dogschool:Dog.TrickAdded"), "{text}");
    }
}

#[test]
fn it_selects_by_position_topic_aggregate_and_number() {
    let place = sqlite();
    place.fill();
    let positions = |arguments: &[&str]| {
        let out = place.good(&[&["log", "DogSchool"], arguments].concat());
        let position = |line: &str| line.split_whitespace().next().map(str::to_owned);
        out.lines()
            .filter_map(position)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(positions(&["--from", "3"]), "3 4 5");
    assert_eq!(positions(&["--topic", "dogschool:Dog.Registered"]), "1 4");
    assert_eq!(
        positions(&["--topic", "dogschool:Dog", "--limit", "2"]),
        "1 2"
    );
    assert_eq!(positions(&["--aggregate", &dog("Rex")]), "4 5");
    assert_eq!(positions(&["--topic", "Cat"]), "");
    assert_eq!(positions(&["--from", "99"]), "");
}

#[test]
fn it_follows_and_ends_when_nobody_reads_it() {
    let place = sqlite();
    place.fill();
    let mut following = command(&place.env)
        .args([
            "log",
            "DogSchool",
            "--follow",
            "--from",
            "5",
            "--limit",
            "2",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tool can be run");
    let out = following.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(out).lines();
    let mut next = || lines.next().expect("a line").expect("text");
    assert!(next().starts_with("5 "));
    place.fall_behind();
    assert!(next().starts_with("6 "));
    assert!(following.wait().expect("it ends").success());
}

#[test]
fn a_wrong_name_lists_the_right_ones() {
    let place = sqlite();
    place.fill();
    let ran = place.run(&["log", "Dogs"]);
    assert_eq!(ran.code, 2);
    assert_eq!(ran.out, "");
    assert_eq!(
        ran.err,
        "error: there is no application `Dogs`: the system has DogSchool, Counters, TrickTable, Ledger\n"
    );
    let ran = place.run(&["log", "DogSchool", "--aggregate", "Rex"]);
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (2, "error: DogSchool: `Rex` is no UUID, as its ids are\n")
    );
}
