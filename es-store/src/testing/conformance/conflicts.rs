//! The second of two recordings with the same version of an aggregate changes nothing, and neither
//! does one that leaves a gap.

use std::sync::Arc;

use es_core::AggregateId;

use super::bench::{Bench, snapshot, versions};
use crate::error::{Conflict, StoreError};
use crate::event_query::EventQuery;
use crate::recorder::ProcessRecorder;
use crate::recording::Recording;
use crate::tracking::Tracking;
use crate::upstream_event::UpstreamEvent;

fn assert_conflict(recorder: &Arc<dyn ProcessRecorder>, recording: &Recording, expected: Conflict) {
    let refused = recorder.record(recording);
    assert!(
        matches!(&refused, Err(StoreError::Conflict(conflict)) if *conflict == expected),
        "{refused:?}"
    );
}

/// Rule: a version that exists is a conflict that names it.
pub fn a_version_that_exists_is_a_conflict_that_names_it(bench: &Bench) {
    let recorder = bench.leader();
    recorder.record(&bench.events(1, 1..=3)).expect("recorded");
    assert_conflict(
        &recorder,
        &bench.events(1, 3..=4),
        Conflict::new(bench.id(1), 3),
    );
    assert_eq!(
        versions(&*recorder, &bench.id(1), &EventQuery::all()),
        [1, 2, 3]
    );
    recorder
        .record(&bench.events(1, [4]))
        .expect("recorded after a conflict");
}

/// Rule: a version that a recording has twice is a conflict.
pub fn a_version_that_a_recording_has_twice_is_a_conflict(bench: &Bench) {
    let recorder = bench.leader();
    assert_conflict(
        &recorder,
        &bench.events(1, [1, 2, 2]),
        Conflict::new(bench.id(1), 2),
    );
    assert!(versions(&*recorder, &bench.id(1), &EventQuery::all()).is_empty());
    recorder
        .record(&bench.events(1, [1, 2]))
        .expect("recorded after a conflict");
}

/// Rule: a conflict is found from version ten on as well.
pub fn a_conflict_is_found_from_version_ten_on_as_well(bench: &Bench) {
    let recorder = bench.leader();
    recorder
        .record(&bench.events(1, 1..=120))
        .expect("recorded");
    for version in [9, 10, 11, 99, 100, 120] {
        assert_conflict(
            &recorder,
            &bench.events(1, [version]),
            Conflict::new(bench.id(1), version),
        );
    }
}

/// Rule: a failed recording changes nothing at all.
pub fn a_failed_recording_changes_nothing_at_all(bench: &Bench) {
    let recorder = bench.follower();
    let at = |version| UpstreamEvent::new(bench.id(9), version);
    let first = bench
        .events(1, 1..=3)
        .tracking(Tracking::new("Up", 0, 5).at(at(5)));
    recorder.record(&first).expect("recorded");
    let before = snapshot(&*recorder, "Up");
    let mut second = bench
        .events(2, 1..=5)
        .tracking(Tracking::new("Up", 5, 9).at(at(9)));
    second.events.push(bench.event(1, 3));
    assert_conflict(&recorder, &second, Conflict::new(bench.id(1), 3));
    assert_eq!(snapshot(&*recorder, "Up"), before);
    assert!(versions(&*recorder, &bench.id(2), &EventQuery::all()).is_empty());
    let unknown = bench.events(1, [3]).tracking(Tracking::new("Other", 0, 9));
    assert_conflict(&recorder, &unknown, Conflict::new(bench.id(1), 3));
    assert_eq!(recorder.tracked("Other").expect("read"), None);
    second.events.pop();
    recorder
        .record(&second)
        .expect("recorded without the conflict");
}

/// Rule: identical bytes are a conflict too.
pub fn identical_bytes_are_a_conflict_too(bench: &Bench) {
    let recorder = bench.leader();
    recorder.record(&bench.events(1, [1])).expect("recorded");
    assert_conflict(
        &recorder,
        &bench.events(1, [1]),
        Conflict::new(bench.id(1), 1),
    );
}

/// Rule: a resent recording is recorded once, and returns its positions each time.
pub fn a_resent_recording_is_recorded_once(bench: &Bench) {
    let recorder = bench.follower();
    let mut resent = bench.events(1, 1..=3).resent();
    resent.events.push(bench.event(2, 1));
    let resent = resent.tracking(Tracking::new("Up", 0, 5));
    let first = recorder.record(&resent).expect("it was not recorded");
    assert_eq!(first.positions.len(), 4);
    recorder.record(&bench.events(1, [4])).expect("recorded");
    let again = recorder.record(&resent).expect("it was recorded");
    assert_eq!(again, first);
    assert_eq!(
        versions(&*recorder, &bench.id(1), &EventQuery::all()),
        [1, 2, 3, 4]
    );
    assert_eq!(recorder.tracked("Up").expect("read"), Some(5));
}

/// Rule: a resent recording is refused if one of its events is stored with other bytes or another
/// topic, or is not stored.
pub fn a_resent_recording_with_other_bytes_is_refused(bench: &Bench) {
    let recorder = bench.leader();
    recorder.record(&bench.events(1, 1..=2)).expect("recorded");
    let mut state = bench.events(1, 1..=2).resent();
    state.events[1].state = b"other".to_vec();
    assert_conflict(&recorder, &state, Conflict::new(bench.id(1), 1));
    let mut topic = bench.events(1, 1..=2).resent();
    topic.events[0].topic = "test:Thing.Other".into();
    assert_conflict(&recorder, &topic, Conflict::new(bench.id(1), 1));
    let more = bench.events(1, 1..=3).resent();
    assert_conflict(&recorder, &more, Conflict::new(bench.id(1), 1));
    assert_eq!(
        versions(&*recorder, &bench.id(1), &EventQuery::all()),
        [1, 2]
    );
}

/// Rule: a resent recording that only moves positions is recorded once.
pub fn a_resent_move_is_recorded_once(bench: &Bench) {
    let recorder = bench.follower();
    let moved = |from, to| Recording::default().tracking(Tracking::new("Up", from, to));
    for _ in 0..2 {
        recorder.record(&moved(0, 5).resent()).expect("recorded");
        assert_eq!(recorder.tracked("Up").expect("read"), Some(5));
    }
    recorder.record(&moved(5, 9)).expect("recorded");
    let refused = recorder.record(&moved(5, 7).resent());
    assert!(
        matches!(&refused, Err(StoreError::PositionMoved { found: 9, .. })),
        "{refused:?}"
    );
}

fn assert_gap(
    recorder: &Arc<dyn ProcessRecorder>,
    recording: &Recording,
    expected: (&AggregateId, u64),
) {
    let refused = recorder.record(recording);
    assert!(
        matches!(&refused, Err(StoreError::Gap { id, version, .. }) if (id, *version) == expected),
        "{refused:?}"
    );
}

/// Rule: a version that does not follow is refused.
pub fn a_version_that_does_not_follow_is_refused(bench: &Bench) {
    let recorder = bench.follower();
    let first = bench.events(1, 1..=3).tracking(Tracking::new("Up", 0, 5));
    recorder.record(&first).expect("recorded");
    let before = snapshot(&*recorder, "Up");
    // The events of another aggregate do not fill a gap.
    assert_gap(&recorder, &bench.events(2, [2]), (&bench.id(2), 2));
    assert_gap(&recorder, &bench.events(2, [4]), (&bench.id(2), 4));
    for version in [5, 6, 1000] {
        let second = bench
            .events(1, [version])
            .tracking(Tracking::new("Up", 5, 9));
        assert_gap(&recorder, &second, (&bench.id(1), version));
    }
    let mut third = bench.events(2, 1..=2);
    third.events.push(bench.event(1, 5));
    assert_gap(&recorder, &third, (&bench.id(1), 5));
    assert_eq!(snapshot(&*recorder, "Up"), before);
    recorder.record(&bench.events(1, [4])).expect("it follows");
}

/// Rule: a gap within a recording is refused.
pub fn a_gap_within_a_recording_is_refused(bench: &Bench) {
    let recorder = bench.leader();
    assert_gap(&recorder, &bench.events(1, [1, 2, 4]), (&bench.id(1), 4));
    // A reader of the log would meet the second version first.
    assert_gap(&recorder, &bench.events(1, [2, 1]), (&bench.id(1), 2));
    assert_eq!(recorder.head().expect("read"), None);
    let events = [(1, 1), (2, 1), (1, 2), (2, 2), (2, 3), (1, 3)];
    let events = events.map(|(number, version)| bench.event(number, version));
    recorder
        .record(&Recording::new(events.to_vec()))
        .expect("each follows, though others stand between");
}

/// Rule: a conflict is no gap.
pub fn a_conflict_is_no_gap(bench: &Bench) {
    let recorder = bench.leader();
    recorder.record(&bench.events(1, 1..=3)).expect("recorded");
    let conflict = |version| Conflict::new(bench.id(1), version);
    assert_conflict(&recorder, &bench.events(1, [2, 9]), conflict(2));
    assert_conflict(&recorder, &bench.events(1, [4, 5, 3]), conflict(3));
    assert_conflict(&recorder, &bench.events(1, [4, 4]), conflict(4));
}

/// Rule: a version of zero is refused.
pub fn a_version_of_zero_is_refused(bench: &Bench) {
    let recorder = bench.leader();
    let refused = recorder.record(&bench.events(1, [0, 1]));
    assert!(
        matches!(refused, Err(StoreError::Invalid(_))),
        "{refused:?}"
    );
    assert_eq!(recorder.head().expect("read"), None);
}
