//! Keeping snapshots and selecting them.

use super::bench::{Bench, snapshot};
use crate::error::StoreError;
use crate::event_query::{EventQuery, History};
use crate::recorder::ProcessRecorder;
use crate::recording::Recording;
use crate::stored_event::StoredEvent;

fn record(recorder: &dyn ProcessRecorder, snapshot: &StoredEvent) {
    recorder.record_snapshot(snapshot).expect("recorded");
}

fn select(recorder: &dyn ProcessRecorder, bench: &Bench, query: EventQuery) -> Vec<StoredEvent> {
    let found = recorder.select_snapshots(&bench.id(1), &query);
    found.expect("the store can be read")
}

/// Rule: snapshots come back as they were, each with its own aggregate, whatever the bytes of their
/// states are.
pub fn snapshots_come_back_as_they_were(bench: &Bench) {
    let recorder = bench.leader();
    assert!(select(&*recorder, bench, EventQuery::all()).is_empty());
    let mut one = bench.event(1, 2);
    one.state = (0..=255).collect();
    record(&*recorder, &one);
    record(&*recorder, &bench.event(2, 2));
    assert_eq!(select(&*recorder, bench, EventQuery::all()), [one]);
}

/// Rule: snapshots are selected as events are, though there are versions without one.
pub fn snapshots_are_selected_by_version_order_and_limit(bench: &Bench) {
    let recorder = bench.leader();
    for version in [5, 10, 15] {
        record(&*recorder, &bench.event(1, version));
    }
    let versions = |query| -> Vec<u64> {
        let found = select(&*recorder, bench, query).into_iter();
        found.map(|snapshot| snapshot.originator_version).collect()
    };
    assert_eq!(versions(EventQuery::all()), [5, 10, 15]);
    assert_eq!(versions(EventQuery::all().lte(14).desc().limit(1)), [10]);
    assert_eq!(versions(EventQuery::all().lte(10).desc().limit(1)), [10]);
    assert_eq!(versions(EventQuery::all().gt(5)), [10, 15]);
    assert_eq!(
        versions(EventQuery::all().lte(u64::MAX).desc()),
        [15, 10, 5]
    );
    assert!(versions(EventQuery::all().lte(4)).is_empty());
    assert!(versions(EventQuery::all().limit(0)).is_empty());
}

/// Rule: a snapshot of a version that has one is no error, and takes its place.
pub fn of_two_snapshots_of_one_version_the_last_wins(bench: &Bench) {
    let recorder = bench.leader();
    let (first, mut last) = (bench.event(1, 3), bench.event(1, 3));
    last.state = b"another".to_vec();
    record(&*recorder, &first);
    record(&*recorder, &last);
    record(&*recorder, &last);
    assert_eq!(select(&*recorder, bench, EventQuery::all()), [last]);
}

/// Rule: a snapshot is no event, and an event no snapshot.
pub fn snapshots_and_events_leave_each_other_alone(bench: &Bench) {
    let recorder = bench.follower();
    recorder.record(&bench.events(1, 1..=2)).expect("recorded");
    let before = snapshot(&*recorder, "upstream");
    assert!(select(&*recorder, bench, EventQuery::all()).is_empty());
    record(&*recorder, &bench.event(1, 2));
    record(&*recorder, &bench.event(1, 3));
    assert_eq!(before, snapshot(&*recorder, "upstream"));
    recorder.record(&bench.events(1, [3])).expect("no conflict");
}

/// Rule: a history is the newest snapshot up to a version, and the events behind it up to there.
pub fn a_history_is_the_newest_snapshot_and_the_events_behind_it(bench: &Bench) {
    let recorder = bench.follower();
    let history = |lte| {
        let query = EventQuery {
            lte,
            ..EventQuery::all()
        };
        let found = recorder.select_history(&bench.id(1), &query);
        let found = found.expect("the store can be read");
        let versions = |events: &[StoredEvent]| -> Vec<u64> {
            let of = |event: &StoredEvent| event.originator_version;
            events.iter().map(of).collect()
        };
        (versions(found.snapshot.as_slice()), versions(&found.events))
    };
    assert_eq!(history(None), (vec![], vec![]));
    recorder.record(&bench.events(1, 1..=6)).expect("recorded");
    recorder.record(&bench.events(2, 1..=6)).expect("recorded");
    assert_eq!(history(None), (vec![], (1..=6).collect()));
    for version in [2, 4] {
        record(&*recorder, &bench.event(1, version));
    }
    record(&*recorder, &bench.event(2, 5));
    assert_eq!(history(None), (vec![4], vec![5, 6]));
    assert_eq!(history(Some(5)), (vec![4], vec![5]));
    assert_eq!(history(Some(4)), (vec![4], vec![]));
    assert_eq!(history(Some(3)), (vec![2], vec![3]));
    assert_eq!(history(Some(1)), (vec![], vec![1]));
    assert_eq!(history(Some(u64::MAX)), (vec![4], vec![5, 6]));
    record(&*recorder, &bench.event(1, 9));
    assert_eq!(history(None), (vec![9], vec![]));
    let found = recorder.select_history(&bench.id(1), &EventQuery::all().lte(5));
    let whole = History::new(Some(bench.event(1, 4)), vec![bench.event(1, 5)]);
    assert_eq!(found.expect("read"), whole);
    let other = recorder.select_history(&bench.other_id(), &EventQuery::all());
    assert_eq!(other.expect("read"), History::default());
}

/// Rule: the limits of a history are those of its events, and its snapshot does not count.
pub fn a_history_has_a_page_of_the_events_behind_its_snapshot(bench: &Bench) {
    let recorder = bench.leader();
    let event = |version| {
        let mut event = bench.event(1, version);
        event.state = vec![b'x'; 10];
        event
    };
    let events = Recording::new((1..=9).map(event).collect());
    recorder.record(&events).expect("recorded");
    let found = |query: EventQuery| {
        let found = recorder.select_history(&bench.id(1), &query);
        let found = found.expect("the store can be read");
        let versions = found.events.iter().map(|event| event.originator_version);
        let of = |snapshot: &StoredEvent| snapshot.originator_version;
        (
            found.snapshot.as_ref().map(of),
            versions.collect::<Vec<_>>(),
        )
    };
    let page = EventQuery::all().byte_limit(20);
    assert_eq!(found(page.clone()), (None, vec![1, 2]));
    record(&*recorder, &event(4));
    assert_eq!(found(page.clone()), (Some(4), vec![5, 6]));
    assert_eq!(found(page.clone().limit(1)), (Some(4), vec![5]));
    assert_eq!(found(page.lte(5)), (Some(4), vec![5]));
    assert_eq!(found(EventQuery::all().limit(3)), (Some(4), vec![5, 6, 7]));
    assert_eq!(found(EventQuery::all().byte_limit(0)), (Some(4), vec![5]));
}

/// Rule: an id of the other form and an invalid version are refused and not found.
pub fn a_snapshot_that_cannot_be_kept_is_refused(bench: &Bench) {
    let recorder = bench.leader();
    for version in [0, u64::MAX] {
        let refused = recorder.record_snapshot(&bench.event(1, version));
        assert!(
            matches!(refused, Err(StoreError::Invalid(_))),
            "{refused:?}"
        );
    }
    let mut other = bench.event(1, 1);
    other.originator_id = bench.other_id();
    let refused = recorder.record_snapshot(&other);
    assert!(
        matches!(refused, Err(StoreError::IdType { .. })),
        "{refused:?}"
    );
    let found = recorder.select_snapshots(&other.originator_id, &EventQuery::all());
    assert!(found.expect("read").is_empty());
    assert!(select(&*recorder, bench, EventQuery::all()).is_empty());
}
