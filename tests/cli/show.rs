//! `show`.

use tests::domain::Counter;

use crate::tool::{assert_shape, dog, places, sqlite};

#[test]
fn it_shows_a_state_now_and_at_a_version_and_the_difference_of_two() {
    for place in places() {
        place.fill();
        let fido = dog("Fido");
        assert_shape("show", &place.good(&["show", "DogSchool", &fido, "--json"]));
        let first = place.good(&["show", "DogSchool", &fido, "--at", "1"]);
        assert!(first.contains("at version 1"), "{first}");
        assert!(first.contains("\"tricks\": []"), "{first}");
        let diff = ["show", "DogSchool", &fido, "--diff", "2", "3", "--json"];
        assert_shape("show_diff", &place.good(&diff));
        let text = place.good(&diff[..6]);
        assert!(
            text.ends_with("- tricks: [\"roll over\"]\n+ tricks: [\"roll over\",\"play dead\"]\n"),
            "{text}"
        );
    }
}

#[test]
fn what_is_not_there_and_what_nobody_declares_are_told_apart() {
    let place = sqlite();
    place.fill();
    let nobody = place.run(&["show", "DogSchool", &dog("Nobody")]);
    assert_eq!(nobody.code, 1);
    assert!(
        nobody.err.contains("there is no aggregate"),
        "{}",
        nobody.err
    );
    let late = place.run(&["show", "DogSchool", &dog("Rex"), "--at", "9"]);
    assert_eq!(late.code, 1);
    assert!(late.err.contains("at version 9"), "{}", late.err);
    let counter = Counter::create_id("roll over").to_string();
    let counter = place.run(&["show", "Counters", &counter]);
    assert_eq!(counter.code, 2);
    assert_eq!(
        counter.err,
        "error: Counters: the system does not know the type of the aggregate `dogschool:Counter`: list all \
         aggregates that the application saves, `#[process_application(aggregates(Counter, ..))]` on its struct\n"
    );
}

#[test]
fn a_state_that_cannot_be_stored_is_shown_by_its_debug() {
    let place = sqlite();
    place.fill();
    let log = place.good(&["log", "Ledger", "--limit", "1"]);
    let id = log.split_whitespace().nth(3).expect("an id").to_owned();
    let shown = place.good(&["show", "Ledger", &id]);
    assert!(shown.contains("text: \"roll over\""), "{shown}");
    let json = place.good(&["show", "Ledger", &id, "--json"]);
    assert!(
        json.contains(r#""state":null,"debug":"EntryState {"#),
        "{json}"
    );
    let diff = place.run(&["show", "Ledger", &id, "--diff", "1", "1"]);
    assert_eq!(diff.code, 2);
    assert!(diff.err.contains("derive Serialize"), "{}", diff.err);
}
