//! The events that a follower sets aside.
//!
//! A store that cannot set events aside, as [`ProcessRecorder::check_set_aside`] tells, keeps these
//! rules by having no rows.

use std::sync::Arc;

use es_core::Timestamp;

use super::bench::{Bench, snapshot};
use crate::error::StoreError;
use crate::notification::Notification;
use crate::recorder::ProcessRecorder;
use crate::recording::{Recorded, Recording};
use crate::set_aside::{Decision, DecisionKind, SetAside, SetAsideChange, SetAsideQuery};
use crate::tracking::Tracking;

/// Opens a store, if it can set events aside.
pub(super) fn able(bench: &Bench) -> Option<Arc<dyn ProcessRecorder>> {
    let recorder = bench.follower();
    recorder.check_set_aside().is_ok().then_some(recorder)
}

pub(super) fn time(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000 + 7).expect("a time")
}

/// Returns the row of the event at a position of `Up`.
pub(super) fn row(bench: &Bench, sequence: &str, position: u64) -> SetAside {
    let event = Notification::new(position, bench.event(7, position));
    SetAside::new("Up", sequence, &event, time(position.cast_signed()))
}

pub(super) fn put(event: SetAside, behind: Option<u64>) -> SetAsideChange {
    let event = Box::new(event);
    SetAsideChange::Put { event, behind }
}

pub(super) fn done(position: u64) -> SetAsideChange {
    let upstream = "Up".to_owned();
    SetAsideChange::Done { upstream, position }
}

pub(super) fn failed(position: u64, attempts: u32) -> SetAsideChange {
    SetAsideChange::Failed {
        upstream: "Up".to_owned(),
        position,
        attempts,
        due: Some(time(100)),
        last: time(50 + i64::from(attempts)),
        error: format!("attempt {attempts}"),
    }
}

pub(super) fn discard(position: u64) -> SetAsideChange {
    SetAsideChange::Decide {
        upstream: "Up".to_owned(),
        position,
        decision: Decision::new(DecisionKind::Discarded, "Ann", time(60)),
    }
}

/// Records a change alone.
pub(super) fn change(
    recorder: &dyn ProcessRecorder,
    change: SetAsideChange,
) -> Result<Recorded, StoreError> {
    recorder.record(&Recording::default().set_aside(change))
}

/// Sets events aside, each in a recording that moves the position to it.
pub(super) fn set_aside(
    recorder: &dyn ProcessRecorder,
    event: SetAside,
    behind: Option<u64>,
) -> Result<Recorded, StoreError> {
    let from = recorder.tracked("Up")?.unwrap_or(0);
    let tracking = Tracking::new("Up", from, event.position);
    recorder.record(&Recording::from(tracking).set_aside(put(event, behind)))
}

/// Sets events of the sequence "a" aside at these positions, in their order.
pub(super) fn set_all_aside(recorder: &dyn ProcessRecorder, bench: &Bench, positions: &[u64]) {
    for position in positions {
        let first = positions.first().filter(|first| *first != position);
        set_aside(recorder, row(bench, "a", *position), first.copied()).expect("set aside");
    }
}

pub(super) fn all(recorder: &dyn ProcessRecorder) -> Vec<SetAside> {
    let all = recorder.select_set_aside(&SetAsideQuery::all());
    all.expect("the store can be read")
}

pub(super) fn positions(recorder: &dyn ProcessRecorder, query: &SetAsideQuery) -> Vec<u64> {
    let rows = recorder.select_set_aside(query);
    let rows = rows.expect("the store can be read");
    rows.iter().map(|row| row.position).collect()
}

pub(super) fn assert_changed(refused: &Result<Recorded, StoreError>, at: u64) {
    assert!(
        matches!(refused, Err(StoreError::SetAsideChanged { upstream, position, .. }) if upstream == "Up" && *position == at),
        "{refused:?}"
    );
}

/// Checks that a recording is refused because of the row at a position, and leaves nothing.
pub(super) fn assert_refused(recorder: &dyn ProcessRecorder, recording: &Recording, at: u64) {
    let before = (snapshot(recorder, "Up"), all(recorder));
    assert_changed(&recorder.record(recording), at);
    assert_eq!((snapshot(recorder, "Up"), all(recorder)), before);
}

/// Rule: what is set aside comes back as it was.
pub fn what_is_set_aside_comes_back_as_it_was(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    let waiting = row(bench, "a", 2).failed("no stock\n  caused by: \u{1f4a5}", Some(time(9)));
    let mut other = row(bench, "b", 3).failed("", None);
    (other.originator_id, other.digest) = (bench.other_id(), None);
    let decision = Decision::new(DecisionKind::Skipped, "Ann", time(4));
    let skipped = row(bench, "a", 5).decided(decision);
    let recording = Recording::from(Tracking::new("Up", 0, 8))
        .set_aside(put(waiting.clone(), None))
        .set_aside(put(other.clone(), None))
        .set_aside(put(skipped.clone(), None));
    recorder.record(&recording).expect("recorded");
    assert_eq!(all(&*recorder), [waiting, other, skipped]);
    assert_eq!(recorder.tracked("Up").expect("read"), Some(8));
}

/// Rule: an event is set aside in the recording that moves the position past it, or not at all.
pub fn an_event_is_set_aside_with_the_move_past_it_or_not_at_all(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    let aside = |from, to| {
        let tracking = Tracking::new("Up", from, to);
        Recording::from(tracking).set_aside(put(row(bench, "a", 5), None))
    };
    for passes_not in [
        Recording::default().set_aside(put(row(bench, "a", 5), None)),
        aside(5, 6),
        aside(0, 4),
        Recording::from(Tracking::new("Down", 0, 9)).set_aside(put(row(bench, "a", 5), None)),
    ] {
        let refused = recorder.record(&passes_not);
        assert!(
            matches!(refused, Err(StoreError::Invalid(_))),
            "{refused:?}"
        );
    }
    let refused = recorder.record(&aside(4, 5));
    assert!(
        matches!(refused, Err(StoreError::PositionMoved { .. })),
        "{refused:?}"
    );
    recorder.record(&bench.events(1, [1])).expect("recorded");
    let conflict = Recording {
        events: bench.events(1, [1]).events,
        ..aside(0, 5)
    };
    let refused = recorder.record(&conflict);
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    assert!(all(&*recorder).is_empty());
    assert_eq!(recorder.tracked("Up").expect("read"), None);
    recorder.record(&aside(0, 5)).expect("recorded");
    assert_eq!(all(&*recorder).len(), 1);
}

/// Rule: an event is set aside once.
pub fn an_event_is_set_aside_once(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    set_aside(&*recorder, row(bench, "a", 5), None).expect("set aside");
    let decision = Decision::new(DecisionKind::Skipped, "Ann", time(4));
    let again = [
        put(row(bench, "b", 5), None),
        put(row(bench, "a", 5).decided(decision), None),
    ];
    for again in again {
        // The position of a replay passes the event, too, and is not recorded.
        let policies = crate::followed::PoliciesMove::new(None, "tag");
        let tracking = Tracking::replay("Up", 0, 9, policies);
        let recording = Recording::from(tracking).set_aside(again);
        assert_refused(&*recorder, &recording, 5);
    }
}

/// Rule: an event is set aside behind the first of its sequence.
pub fn an_event_is_set_aside_behind_the_first_of_its_sequence(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    let aside = |position, behind| {
        let from = recorder.tracked("Up").expect("read").unwrap_or(0);
        let tracking = Tracking::new("Up", from, position);
        Recording::from(tracking).set_aside(put(row(bench, "a", position), behind))
    };
    assert_refused(&*recorder, &aside(1, Some(7)), 1);
    recorder.record(&aside(1, None)).expect("the first");
    assert_refused(&*recorder, &aside(2, None), 2);
    recorder.record(&aside(2, Some(1))).expect("behind it");
    assert_refused(&*recorder, &aside(3, Some(2)), 3);
    // Of several events of a sequence the first is compared, and those of another one are, too.
    let several = |behind| {
        aside(5, Some(1))
            .set_aside(put(row(bench, "a", 3), None))
            .set_aside(put(row(bench, "b", 4), behind))
    };
    assert_refused(&*recorder, &several(Some(1)), 4);
    recorder.record(&several(None)).expect("behind it");
    // The first one is removed, and the next is the first.
    change(&*recorder, done(1)).expect("the first");
    assert_refused(&*recorder, &aside(6, Some(1)), 6);
    recorder.record(&aside(6, Some(2))).expect("behind it");
    let query = SetAsideQuery::all();
    assert_eq!(positions(&*recorder, &query), [2, 3, 4, 5, 6]);
}

/// Rule: only the first of a sequence is done, together with its effects.
pub fn only_the_first_of_a_sequence_is_done(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    set_all_aside(&*recorder, bench, &[1, 2, 3]);
    let retried = |position| bench.events(1, [1]).set_aside(done(position));
    for not_first in [2, 3, 4] {
        assert_refused(&*recorder, &retried(not_first), not_first);
    }
    recorder.record(&retried(1)).expect("the first");
    assert_refused(&*recorder, &bench.events(2, [1]).set_aside(done(1)), 1);
    // Nothing is done if its effects are refused.
    let refused = recorder.record(&retried(2));
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    assert_eq!(positions(&*recorder, &SetAsideQuery::all()), [2, 3]);
    // The changes of a recording are made in their order.
    let both = Recording::default().set_aside(done(2)).set_aside(done(3));
    recorder.record(&both).expect("one after the other");
    assert!(all(&*recorder).is_empty());
    assert_eq!(
        recorder.head().expect("read").map(|head| head.position),
        Some(1)
    );
}

/// Rule: each failed attempt is counted once.
pub fn each_failed_attempt_is_counted_once(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    set_all_aside(&*recorder, bench, &[1, 2]);
    let fails = |position, attempts| Recording::default().set_aside(failed(position, attempts));
    assert_refused(&*recorder, &fails(2, 1), 2);
    assert_refused(&*recorder, &fails(1, 2), 1);
    recorder.record(&fails(1, 1)).expect("recorded");
    assert_refused(&*recorder, &fails(1, 1), 1);
    recorder.record(&fails(1, 2)).expect("recorded");
    let expected = SetAside {
        attempts: 2,
        due: Some(time(100)),
        last: time(52),
        error: "attempt 2".to_owned(),
        ..row(bench, "a", 1)
    };
    assert_eq!(all(&*recorder), [expected, row(bench, "a", 2)]);
}
