//! The position of a follower.

use super::bench::{Bench, snapshot, versions};
use crate::error::StoreError;
use crate::event_query::EventQuery;
use crate::followed::Followed;
use crate::recording::Recording;
use crate::tracking::Tracking;
use crate::upstream_event::UpstreamEvent;

fn moved(tracking: Tracking) -> Recording {
    Recording::default().tracking(tracking)
}

/// Rule: a position that was never recorded is zero.
pub fn a_position_that_was_never_recorded_is_zero(bench: &Bench) {
    let recorder = bench.follower();
    assert_eq!(recorder.tracked("Up").expect("read"), None);
    let refused = recorder.record(&moved(Tracking::new("Up", 3, 5)));
    assert!(
        matches!(&refused, Err(StoreError::PositionMoved { upstream, expected: 3, found: 0, .. })
        if upstream == "Up"),
        "{refused:?}"
    );
    assert_eq!(recorder.tracked("Up").expect("read"), None);
    recorder
        .record(&moved(Tracking::new("Up", 0, 5)))
        .expect("recorded");
    assert_eq!(recorder.tracked("Up").expect("read"), Some(5));
}

/// Rule: a position moves only from where it is.
pub fn a_position_moves_only_from_where_it_is(bench: &Bench) {
    let recorder = bench.follower();
    recorder
        .record(&moved(Tracking::new("Up", 0, 150)))
        .expect("recorded");
    // The last move is that of an instance that pulled 101 to 200 before another one recorded 101
    // to 150.
    for (from, to) in [(0, 5), (149, 200), (151, 200), (100, 200)] {
        let refused =
            recorder.record(&bench.events(1, [1]).tracking(Tracking::new("Up", from, to)));
        assert!(
            matches!(refused, Err(StoreError::PositionMoved { found: 150, expected, .. }) if expected == from)
        );
    }
    assert_eq!(recorder.head().expect("read"), None);
    recorder
        .record(&moved(Tracking::new("Up", 150, 200)))
        .expect("recorded");
    assert_eq!(recorder.tracked("Up").expect("read"), Some(200));
}

/// Rule: a position may stay but not go back.
pub fn a_position_may_stay_but_not_go_back(bench: &Bench) {
    let recorder = bench.follower();
    recorder
        .record(&moved(Tracking::new("Up", 0, 5)))
        .expect("recorded");
    recorder
        .record(&bench.events(1, [1]).tracking(Tracking::new("Up", 5, 5)))
        .expect("recorded");
    let refused = recorder.record(&bench.events(1, [2]).tracking(Tracking::new("Up", 5, 4)));
    assert!(
        matches!(refused, Err(StoreError::Invalid(_))),
        "{refused:?}"
    );
    assert_eq!(recorder.tracked("Up").expect("read"), Some(5));
    assert_eq!(versions(&*recorder, &bench.id(1), &EventQuery::all()), [1]);
}

/// Rule: tracking is recorded without events and events without tracking.
pub fn tracking_is_recorded_without_events_and_events_without_tracking(bench: &Bench) {
    let recorder = bench.follower();
    let recorded = recorder
        .record(&moved(Tracking::new("Up", 0, 7)))
        .expect("recorded");
    assert_eq!(recorded.last_position(), None);
    recorder.record(&bench.events(1, [1])).expect("recorded");
    assert_eq!(recorder.tracked("Up").expect("read"), Some(7));
}

/// Rule: a moved position is told before a conflict.
pub fn a_moved_position_is_told_before_a_conflict(bench: &Bench) {
    let recorder = bench.follower();
    recorder
        .record(&bench.events(1, [1]).tracking(Tracking::new("Up", 0, 1)))
        .expect("recorded");
    let refused = recorder.record(&bench.events(1, [1]).tracking(Tracking::new("Up", 0, 1)));
    assert!(
        matches!(refused, Err(StoreError::PositionMoved { .. })),
        "{refused:?}"
    );
}

/// Rule: each upstream has its own position.
pub fn each_upstream_has_its_own_position(bench: &Bench) {
    let recorder = bench.follower();
    recorder
        .record(&moved(Tracking::new("One", 0, 5)))
        .expect("recorded");
    recorder
        .record(&moved(Tracking::new("Two", 0, 9)))
        .expect("recorded");
    recorder
        .record(&moved(Tracking::new("one", 0, 2)))
        .expect("recorded");
    let tracked =
        ["One", "Two", "one", "Three"].map(|upstream| recorder.tracked(upstream).expect("read"));
    assert_eq!(tracked, [Some(5), Some(9), Some(2), None]);
}

/// Rule: several positions move in one recording, each with its upstream's event.
pub fn several_positions_move_in_one_recording(bench: &Bench) {
    let recorder = bench.follower();
    let at = |number| UpstreamEvent::new(bench.id(number), 1);
    let recording = bench
        .events(1, [1])
        .tracking(Tracking::new("Two", 0, 9).at(at(2)))
        .tracking(Tracking::new("One", 0, 5).at(at(1)));
    recorder.record(&recording).expect("recorded");
    // This move has no events, and one of its upstreams is new.
    let recording = moved(Tracking::new("One", 5, 6))
        .tracking(Tracking::new("Three", 0, 1))
        .tracking(Tracking::new("Two", 9, 9));
    recorder.record(&recording).expect("recorded");
    let tracked = ["One", "Two", "Three"].map(|one| recorder.tracked(one).expect("read"));
    assert_eq!(tracked, [Some(6), Some(9), Some(1)]);
    let event = |upstream| recorder.followed(upstream).expect("read").event;
    assert_eq!(event("Two"), Some(at(2)));
    assert_eq!(event("One"), None);
}

/// Rule: of several positions, one that was moved by another refuses them all.
pub fn one_of_several_positions_that_was_moved_refuses_all(bench: &Bench) {
    let recorder = bench.follower();
    let first = moved(Tracking::new("One", 0, 5)).tracking(Tracking::new("Two", 0, 9));
    recorder.record(&first).expect("recorded");
    let before = snapshot(&*recorder, "One");
    for (one, two) in [((5, 6), (8, 10)), ((4, 6), (9, 10)), ((0, 6), (0, 10))] {
        for is_turned in [false, true] {
            let mut recording = bench
                .events(1, [1])
                .tracking(Tracking::new("One", one.0, one.1))
                .tracking(Tracking::new("Two", two.0, two.1));
            if is_turned {
                recording.trackings.reverse();
            }
            let refused = recorder.record(&recording);
            assert!(
                matches!(refused, Err(StoreError::PositionMoved { .. })),
                "{refused:?}"
            );
            assert_eq!(snapshot(&*recorder, "One"), before);
            assert_eq!(recorder.tracked("Two").expect("read"), Some(9));
        }
    }
    // A conflict also stops all of the moves.
    recorder.record(&bench.events(1, [1])).expect("recorded");
    let conflicting = bench
        .events(1, [1])
        .tracking(Tracking::new("One", 5, 6))
        .tracking(Tracking::new("Two", 9, 10));
    let refused = recorder.record(&conflicting);
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    let tracked = ["One", "Two"].map(|one| recorder.tracked(one).expect("read"));
    assert_eq!(tracked, [Some(5), Some(9)]);
}

/// Rule: one recording moves a position once.
pub fn one_recording_moves_a_position_once(bench: &Bench) {
    let recorder = bench.follower();
    let twice = moved(Tracking::new("Up", 0, 5)).tracking(Tracking::new("Up", 5, 7));
    let refused = recorder.record(&twice);
    assert!(
        matches!(refused, Err(StoreError::Invalid(_))),
        "{refused:?}"
    );
    assert_eq!(recorder.tracked("Up").expect("read"), None);
}

/// Rule: the upstream event counts only at the position with which it was recorded.
pub fn the_upstream_event_counts_only_at_its_position(bench: &Bench) {
    let recorder = bench.follower();
    let at = |version| UpstreamEvent::new(bench.id(7), version);
    let upstream_event = || recorder.followed("Up").expect("read").event;
    assert_eq!(upstream_event(), None);
    recorder
        .record(&moved(Tracking::new("Up", 0, 5).at(at(1))))
        .expect("recorded");
    assert_eq!(upstream_event(), Some(at(1)));
    recorder
        .record(&moved(Tracking::new("Up", 5, 6)))
        .expect("recorded");
    assert_eq!(upstream_event(), None);
    recorder
        .record(&moved(Tracking::new("Up", 6, 6).at(at(3))))
        .expect("recorded");
    recorder
        .record(&moved(Tracking::new("Up", 6, 6)))
        .expect("recorded");
    assert_eq!(upstream_event(), Some(at(3)), "the position has not moved");
    recorder
        .record(&moved(Tracking::new("Up", 6, 8).at(at(2))))
        .expect("recorded");
    assert_eq!(upstream_event(), Some(at(2)));
}

/// Rule: the upstream event has an id of either form.
pub fn the_upstream_event_has_an_id_of_either_form(bench: &Bench) {
    let recorder = bench.follower();
    for (from, originator_id) in (0..).zip([bench.id(1), bench.other_id(), "text:1".into()]) {
        let event = UpstreamEvent::new(originator_id, 1);
        recorder
            .record(&moved(
                Tracking::new("Up", from, from + 1).at(event.clone()),
            ))
            .expect("recorded");
        assert_eq!(recorder.followed("Up").expect("read").event, Some(event));
    }
}

/// Rule: reserved names are no upstreams.
pub fn reserved_names_are_no_upstreams(bench: &Bench) {
    let recorder = bench.follower();
    let refused = recorder.record(&moved(Tracking::new("__migration__", 0, 5)));
    assert!(
        matches!(refused, Err(StoreError::Invalid(_))),
        "{refused:?}"
    );
    assert_eq!(recorder.tracked("__migration__").expect("read"), None);
}

/// Rule: a leader keeps no tracking.
pub fn a_leader_keeps_no_tracking(bench: &Bench) {
    let recorder = bench.leader();
    let refused = recorder.record(&bench.events(1, [1]).tracking(Tracking::new("Up", 0, 5)));
    assert!(
        matches!(refused, Err(StoreError::Invalid(_))),
        "{refused:?}"
    );
    assert_eq!(recorder.head().expect("read"), None);
    assert_eq!(recorder.tracked("Up").expect("read"), None);
    let followed = recorder.followed("Up").expect("read");
    assert_eq!(followed, Followed::default());
}
