//! `rebuild`.

use crate::tool::{assert_shape, places, sqlite};

#[test]
fn it_rebuilds_with_consent_only() {
    for place in places() {
        place.fill();
        place.fall_behind();
        let refused = place.run(&["rebuild", "TrickTable"]);
        assert_eq!(refused.code, 2, "{}", place.name);
        assert!(
            refused.err.contains("will be rebuilt from all events"),
            "{}",
            refused.err
        );
        assert!(refused.err.contains("add `--yes`"), "{}", refused.err);
        assert_shape(
            "rebuild",
            &place.good(&["rebuild", "TrickTable", "--yes", "--json"]),
        );
        // The rebuild has also processed what the follower had not.
        let status = place.run(&["status", "--max-age", "0"]).out;
        let table = status.lines().find(|line| line.starts_with("TrickTable"));
        let words: Vec<_> = table.expect("its line").split_whitespace().collect();
        assert_eq!(words[2..5], ["6", "6", "0"], "{}: {status}", place.name);
        let nothing = place.good(&["rebuild", "TrickTable", "--discard", "--yes"]);
        assert_eq!(nothing, "TrickTable: there was no rebuild to discard\n");
    }
}

#[test]
fn only_a_projection_can_be_rebuilt() {
    let place = sqlite();
    place.fill();
    let ran = place.run(&["rebuild", "Counters", "--yes"]);
    assert_eq!(ran.code, 2);
    assert_eq!(
        ran.err,
        "error: there is no projection `Counters`: the system has TrickTable\n"
    );
}
