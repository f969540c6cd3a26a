//! The operations on a follower.

use super::bench::Bench;
use super::set_aside::{able, done, time};
use crate::error::StoreError;
use crate::operation::{Operation, OperationKind};
use crate::recorder::ProcessRecorder;
use crate::recording::Recording;
use crate::tracking::Tracking;

fn operation(kind: OperationKind, upstream: &str, seconds: i64) -> Operation {
    Operation::new(kind, upstream, "Ann", time(seconds))
}

fn operate(recorder: &dyn ProcessRecorder, operation: Operation) {
    let recording = Recording::default().operation(operation);
    recorder.record(&recording).expect("recorded");
}

fn last(recorder: &dyn ProcessRecorder, limit: usize) -> Vec<Operation> {
    recorder.select_operations(limit).expect("read")
}

/// Rule: operations come back as they were, the last one first, with ascending numbers.
pub fn operations_come_back_with_the_last_one_first(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    assert_eq!(last(&*recorder, 9), []);
    let mut recorded = Vec::new();
    for (number, kind) in (1..).zip(OperationKind::ALL) {
        let one = operation(kind, "Up", number).at(number.cast_unsigned());
        recorded.push(one.detail("no stock\n  caused by: \u{1f4a5}"));
    }
    recorded.push(operation(OperationKind::Paused, "", 99));
    let all = recorded.iter().cloned();
    let two = Recording::default().operation(recorded[0].clone());
    recorder
        .record(&two.operation(recorded[1].clone()))
        .expect("recorded");
    all.skip(2).for_each(|one| operate(&*recorder, one));
    let found = last(&*recorder, usize::MAX);
    assert!(found.is_sorted_by(|one, next| one.id > next.id));
    let without_ids = found.iter().rev().map(|one| Operation {
        id: 0,
        ..one.clone()
    });
    assert_eq!(without_ids.collect::<Vec<_>>(), recorded);
    assert_eq!(last(&*recorder, 2), found[..2]);
    assert_eq!(last(&*recorder, 0), []);
}

/// Rule: the last of some operations on an upstream, or on all, tells how its follower stands. A
/// stop hides neither a pause nor a resumption, and is there until a later resumption.
pub fn the_last_operation_tells_how_a_follower_stands(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    let followed = |upstream: &str| {
        let followed = recorder.followed(upstream).expect("read");
        (
            followed.standing.map(|one| (one.kind, one.position)),
            followed.began,
        )
    };
    let stopped = |upstream: &str| {
        let stopped = recorder.followed(upstream).expect("read").stopped;
        stopped.map(|one| (one.kind, one.position))
    };
    let stop = |seconds, position| {
        let stopped = operation(OperationKind::Stopped, "Up", seconds);
        operate(&*recorder, stopped.at(position));
    };
    let at = |position| Some((OperationKind::Stopped, Some(position)));
    assert_eq!(followed("Up"), (None, None));
    assert_eq!(stopped("Up"), None);
    operate(&*recorder, operation(OperationKind::Began, "Up", 1).at(40));
    assert_eq!(followed("Up"), (None, Some(40)));
    stop(2, 41);
    operate(
        &*recorder,
        operation(OperationKind::Skipped, "Up", 3).at(41),
    );
    assert_eq!((followed("Up"), stopped("Up")), ((None, Some(40)), at(41)));
    operate(&*recorder, operation(OperationKind::Resumed, "Down", 4));
    assert_eq!((followed("Up").0, stopped("Up")), (None, at(41)));
    assert_eq!(
        followed("Down"),
        (Some((OperationKind::Resumed, None)), None)
    );
    operate(&*recorder, operation(OperationKind::Paused, "", 5));
    assert_eq!(followed("Up").0, Some((OperationKind::Paused, None)));
    assert_eq!(followed("Down").0, Some((OperationKind::Paused, None)));
    assert_eq!((stopped("Up"), stopped("Down")), (at(41), None));
    stop(5, 42);
    assert_eq!(followed("Up").0, Some((OperationKind::Paused, None)));
    assert_eq!(stopped("Up"), at(42));
    let resumed = operation(OperationKind::Resumed, "Up", 6).detail("stock is there");
    operate(&*recorder, resumed.clone());
    let found = recorder.followed("Up").expect("read").standing;
    let found = found.expect("an operation");
    assert_eq!(found.id, last(&*recorder, 1)[0].id);
    assert_eq!(Operation { id: 0, ..found }, resumed);
    assert_eq!(stopped("Up"), None);
    stop(6, 43);
    assert_eq!(followed("Up").0, Some((OperationKind::Resumed, None)));
    assert_eq!(stopped("Up"), at(43));
    operate(&*recorder, operation(OperationKind::Resumed, "", 6));
    operate(&*recorder, operation(OperationKind::Paused, "Up", 6));
    assert_eq!(followed("Up").0, Some((OperationKind::Paused, None)));
    assert_eq!(stopped("Up"), None);
    operate(&*recorder, operation(OperationKind::Began, "Up", 7).at(50));
    assert_eq!(followed("Up").1, Some(50));
}

/// Rule: an operation is recorded with all else of its recording, or not at all, and once.
pub fn an_operation_is_recorded_with_all_else_or_not_at_all(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    let resumed = || operation(OperationKind::Resumed, "Up", 1);
    let began = Recording::from(Tracking::new("Up", 0, 5)).operation(resumed());
    recorder.record(&began).expect("recorded");
    let refused = recorder.record(&began);
    assert!(
        matches!(refused, Err(StoreError::PositionMoved { .. })),
        "{refused:?}"
    );
    let late = Recording::default().set_aside(done(7)).operation(resumed());
    let refused = recorder.record(&late);
    assert!(
        matches!(refused, Err(StoreError::SetAsideChanged { .. })),
        "{refused:?}"
    );
    assert_eq!(last(&*recorder, 9).len(), 1);
    recorder.record(&began.resent()).expect("it is there");
    let paused = operation(OperationKind::Paused, "Up", 2).at(7).detail("a");
    let resent = Recording::default().operation(paused).resent();
    for _ in 0..3 {
        recorder.record(&resent).expect("recorded");
    }
    assert_eq!(last(&*recorder, 9).len(), 2);
}
