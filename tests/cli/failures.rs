//! `failures`: a policy fails on one trick, and an operator mends it.

use tests::PATIENCE;
use tests::domain::DogSchool;

use es_system::prelude::*;

use crate::tool::{Place, assert_shape, places};

/// Returns a place where the ledger has set aside "roll over" of Fido and of Rex, and a trick of
/// Fido behind the first.
fn poisoned(mut place: Place) -> Place {
    place.env = place
        .env
        .clone()
        .with("LEDGER_ON_ERROR", "set_aside")
        .with("LEDGER_POISON", "roll over");
    place.fill();
    place
}

#[test]
fn what_is_set_aside_is_listed_shown_and_retried() {
    for place in places() {
        let mut place = poisoned(place);
        assert_shape(
            "failures_list",
            &place.good(&["failures", "list", "--json"]),
        );
        let shown = place.good(&["failures", "show", "Ledger", "2"]);
        assert!(shown.contains("roll over is poison"), "{shown}");
        assert!(!shown.contains("values"), "{shown}");
        let values = ["failures", "show", "Ledger", "2", "--values", "--json"];
        let values = place.good(&values);
        assert!(values.contains(r#""trick":"roll over""#), "{values}");

        let refused = place.run(&["failures", "retry", "Ledger"]);
        assert_eq!(refused.code, 2, "{}{}", refused.out, refused.err);
        let again = place.run(&["failures", "retry", "Ledger", "--yes", "--json"]);
        assert_eq!(again.code, 1, "{}: {}{}", place.name, again.out, again.err);
        assert_shape("failures_retry_failed", &again.out);

        place.env.set("LEDGER_POISON", "nothing");
        let one = ["failures", "retry", "Ledger", "5", "--yes"];
        assert_eq!(
            place.good(&one),
            "Ledger <- DogSchool: 1 events processed\n"
        );
        let rest = place.good(&["failures", "retry", "Ledger", "--yes"]);
        assert_eq!(rest, "Ledger <- DogSchool: 2 events processed\n");
        assert_eq!(place.good(&["failures", "list"]), "no event is set aside\n");
        let log = place.good(&["log", "Ledger"]);
        assert_eq!(log.lines().count(), 3, "{log}");
    }
}

#[test]
fn an_event_that_is_discarded_is_remembered_and_the_one_behind_it_goes_on() {
    for place in places() {
        let place = poisoned(place);
        let out = place.good(&[
            "failures", "discard", "Ledger", "2", "--yes", "--who", "Ann",
        ]);
        assert_eq!(
            out,
            "Ledger <- DogSchool: the event at position 2 is discarded\n"
        );
        let again = place.run(&["failures", "discard", "Ledger", "2", "--yes"]);
        assert_eq!(again.code, 2, "{}", again.err);
        let decided = place.good(&["failures", "list", "--decided"]);
        assert!(decided.contains("discarded by Ann"), "{decided}");
        let retried = place.run(&["failures", "retry", "Ledger", "3", "--yes"]);
        assert_eq!(
            retried.out, "Ledger <- DogSchool: 1 events processed\n",
            "{}",
            retried.err
        );
    }
}

#[test]
fn status_counts_what_is_set_aside() {
    for place in places() {
        let place = poisoned(place);
        let status = place.good(&["status", "--json"]);
        assert!(
            status.contains(r#""set_aside":3"#),
            "{}: {status}",
            place.name
        );
    }
}

#[test]
fn a_follower_that_stopped_is_told_with_its_error_and_goes_on_behind_what_is_skipped() {
    for mut place in places() {
        place.env.set("LEDGER_POISON", "roll over");
        let mut runner = place.start();
        let school = runner.get::<DogSchool>().expect("it is there");
        school.register_dog("Fido").expect("it is saved");
        school.add_trick("Fido", "roll over").expect("it is saved");
        school.add_trick("Fido", "play dead").expect("it is saved");
        let stopped = runner.wait_until_idle(PATIENCE).expect_err("it stops");
        assert!(stopped.to_string().contains("poison"), "{stopped}");
        runner.stop().expect("it stops");

        let status = place.run(&["status"]);
        assert_eq!(status.code, 1);
        assert!(
            status.out.contains("stopped since"),
            "{}: {}",
            place.name,
            status.out
        );
        assert!(status.out.contains("roll over is poison"), "{}", status.out);
        let wrong = place.run(&["skip", "Ledger", "3", "--yes"]);
        assert_eq!(wrong.code, 2);
        assert!(
            wrong.err.contains("in front of position 2"),
            "{}",
            wrong.err
        );
        let skip = place.good(&["skip", "ledger", "2", "--yes", "--json", "--who", "Ann"]);
        assert_shape("skip", &skip);
        let mut runner = place.start();
        runner.wait_until_idle(PATIENCE).expect("it goes on");
        runner.stop().expect("it stops");
        assert_eq!(place.good(&["log", "Ledger"]).lines().count(), 1);
        place.good(&["status"]);
    }
}
