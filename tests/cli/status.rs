//! `status`.

use crate::tool::{assert_shape, places, sqlite};

#[test]
fn it_is_zero_when_all_is_processed_and_one_when_a_follower_is_behind() {
    for place in places() {
        place.fill();
        assert_shape("status", &place.good(&["status", "--json"]));
        place.fall_behind();
        let behind = place.run(&["status", "--json", "--max-age", "0s"]);
        assert_eq!(
            behind.code, 1,
            "{}: {}{}",
            place.name, behind.out, behind.err
        );
        assert_shape("status_behind", &behind.out);
        // The trick was saved a moment ago.
        place.good(&["status", "--max-age", "1h"]);
    }
}

#[test]
fn the_text_has_a_line_for_each_edge() {
    let place = sqlite();
    place.fill();
    let out = place.good(&["status"]);
    let lines: Vec<_> = out
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .collect();
    assert_eq!(lines[0][..4], ["FOLLOWER", "UPSTREAM", "POSITION", "HEAD"]);
    assert_eq!(lines[1][..5], ["Counters", "DogSchool", "5", "5", "0"]);
    assert_eq!(lines[2][..5], ["TrickTable", "DogSchool", "5", "5", "0"]);
    assert!(!out.contains('\u{1b}'), "there are no colours: {out:?}");
}

#[test]
fn a_store_that_cannot_be_read_is_told_beside_the_others() {
    let place = sqlite();
    place.fill();
    std::fs::remove_file(place.file("Counters")).expect("the file is there");
    let ran = place.run(&["status", "--json"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("the file does not exist"), "{}", ran.out);
    assert!(
        ran.out
            .contains(r#""follower":"TrickTable","upstream":"DogSchool","position":5"#),
        "{}",
        ran.out
    );
}
