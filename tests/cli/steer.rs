//! `pause`, `resume` and `start-at`.

use std::time::Instant;

use es_system::prelude::*;
use tests::PATIENCE;
use tests::domain::{Counters, DogSchool};

use crate::tool::{assert_shape, places};

#[test]
fn a_running_follower_is_paused_and_resumed_by_another_process() {
    for mut place in places() {
        place.env.set("POLL_INTERVAL", "0.05");
        let system = tests::tooling::system().expect("a system");
        let mut runner = MultiThreadedRunner::new(&system, place.env.clone()).expect("a runner");
        runner.start().expect("it starts");
        let school = runner.get::<DogSchool>().expect("it is there");
        let counters = runner.get::<Counters>().expect("it is there");
        school.register_dog("Fido").expect("it is saved");
        runner.wait_until_idle(PATIENCE).expect("all is processed");

        let paused = ["pause", "Counters", "--yes", "--json", "--who", "Ann"];
        assert_shape("pause", &place.good(&paused));
        // The follower looks at the record at each poll.
        wait_for(|| format!("{:?}", runner.status()).contains("Paused"));
        school.add_trick("Fido", "sit").expect("it is saved");
        let status = place.run(&["status"]);
        assert_eq!(status.code, 1);
        assert!(status.out.contains("paused since"), "{}", status.out);
        assert!(status.out.contains("by Ann"), "{}", status.out);
        assert_eq!(counters.get_count("sit").expect("it is read"), 0);

        assert_shape(
            "resume",
            &place.good(&["resume", "Counters", "--yes", "--json"]),
        );
        wait_for(|| counters.get_count("sit").expect("it is read") == 1);
        runner.stop().expect("it stops");
    }
}

fn wait_for(mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "it takes too long");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_follower_starts_behind_the_events_that_it_passes_over_and_never_goes_back() {
    for place in places() {
        place.fill();
        place.fall_behind();
        let started = [
            "start-at", "Counters", "7", "--yes", "--json", "--who", "Ann",
        ];
        assert_shape("start_at", &place.good(&started));
        let status = place.run(&["status", "--max-age", "0"]).out;
        let counters = status.lines().find(|line| line.starts_with("Counters"));
        let words: Vec<_> = counters.expect("its line").split_whitespace().collect();
        assert_eq!(words[2..5], ["6", "6", "0"], "{}: {status}", place.name);
        for position in ["3", "9"] {
            let refused = place.run(&["start-at", "Counters", position, "--yes"]);
            assert_eq!(refused.code, 2, "{}", refused.err);
            assert!(
                refused.err.contains("it can begin at 7 to 7"),
                "{}",
                refused.err
            );
        }
        let mut runner = place.start();
        runner.wait_until_idle(PATIENCE).expect("it goes on");
        let counters = runner.get::<Counters>().expect("it is there");
        assert_eq!(counters.get_count("fetch ball").expect("it is read"), 0);
        runner.stop().expect("it stops");
    }
}
