//! Recording events and selecting them.

use std::borrow::Cow;

use super::bench::{Bench, positions, versions};
use crate::error::StoreError;
use crate::event_query::EventQuery;
use crate::notification::NotificationQuery;
use crate::recording::{Recorded, Recording};
use crate::stored_event::StoredEvent;
use crate::tracking::Tracking;

/// Rule: recorded events come back as they were.
pub fn recorded_events_come_back_as_they_were(bench: &Bench) {
    let (recorder, recording) = (bench.leader(), bench.events(1, 1..=3));
    let recorded = recorder.record(&recording).expect("recorded");
    assert_eq!(recorded.positions.len(), 3);
    assert_eq!(
        recorder
            .select_events(&bench.id(1), &EventQuery::all())
            .expect("read"),
        recording.events
    );
    let log = recorder
        .select_notifications(&NotificationQuery::all())
        .expect("read");
    assert_eq!(
        log.iter()
            .map(|notification| notification.id)
            .collect::<Vec<_>>(),
        recorded.positions
    );
    assert_eq!(
        log.into_iter()
            .map(|notification| notification.event)
            .collect::<Vec<_>>(),
        recording.events
    );
    assert!(versions(&*recorder, &bench.id(2), &EventQuery::all()).is_empty());
}

/// Rule: events are selected by version order and limit.
pub fn events_are_selected_by_version_order_and_limit(bench: &Bench) {
    let recorder = bench.leader();
    recorder.record(&bench.events(1, 1..=12)).expect("recorded");
    recorder.record(&bench.events(2, 1..=2)).expect("recorded");
    let select = |query: EventQuery| versions(&*recorder, &bench.id(1), &query);
    assert_eq!(select(EventQuery::all()), (1..=12).collect::<Vec<_>>());
    assert_eq!(
        select(EventQuery::all().desc()),
        (1..=12).rev().collect::<Vec<_>>()
    );
    assert_eq!(select(EventQuery::all().gt(10)), [11, 12]);
    assert_eq!(select(EventQuery::all().lte(2)), [1, 2]);
    assert_eq!(select(EventQuery::all().gt(2).lte(11).limit(2)), [3, 4]);
    assert_eq!(
        select(EventQuery::all().gt(2).lte(11).desc().limit(2)),
        [11, 10]
    );
    assert!(select(EventQuery::all().gt(12)).is_empty());
    assert!(select(EventQuery::all().gt(5).lte(3)).is_empty());
    assert!(select(EventQuery::all().gt(u64::MAX)).is_empty());
    assert_eq!(select(EventQuery::all().gt(11).lte(u64::MAX)), [12]);
}

/// Rule: a limit of zero selects nothing.
pub fn a_limit_of_zero_selects_nothing(bench: &Bench) {
    let recorder = bench.leader();
    recorder.record(&bench.events(1, 1..=3)).expect("recorded");
    assert!(versions(&*recorder, &bench.id(1), &EventQuery::all().limit(0)).is_empty());
    assert!(positions(&*recorder, &NotificationQuery::all().limit(0)).is_empty());
}

/// Rule: an empty recording does nothing.
pub fn an_empty_recording_does_nothing(bench: &Bench) {
    for recorder in [bench.leader(), bench.follower()] {
        assert_eq!(
            recorder.record(&Recording::default()).expect("recorded"),
            Recorded::default()
        );
        assert_eq!(recorder.head().expect("read"), None);
    }
}

/// Rule: a version or position that is too large is refused and never wraps.
pub fn a_version_or_position_that_is_too_large_is_refused_and_never_wraps(bench: &Bench) {
    let recorder = bench.follower();
    let largest = i64::MAX.unsigned_abs();
    for tracking in [
        Tracking::new("Up", 0, largest + 1),
        Tracking::new("Up", u64::MAX, u64::MAX),
    ] {
        let refused = recorder.record(&Recording::default().tracking(tracking));
        assert!(
            matches!(refused, Err(StoreError::Invalid(_))),
            "{refused:?}"
        );
    }
    for version in [largest + 1, u64::MAX] {
        let refused = recorder.record(&bench.events(1, [1, version]));
        assert!(
            matches!(refused, Err(StoreError::Invalid(_))),
            "{refused:?}"
        );
    }
    assert_eq!(recorder.head().expect("read"), None);
    let refused = recorder.record(&bench.events(1, [largest]));
    assert!(
        matches!(refused, Err(StoreError::Gap { version, .. }) if version == largest),
        "{refused:?}"
    );
    recorder
        .record(&Recording::default().tracking(Tracking::new("Up", 0, largest)))
        .expect("recorded");
    assert_eq!(recorder.tracked("Up").expect("read"), Some(largest));
}

/// Rule: an id of the other form is refused and not found.
pub fn an_id_of_the_other_form_is_refused_and_not_found(bench: &Bench) {
    let recorder = bench.leader();
    recorder.record(&bench.events(1, [1])).expect("recorded");
    let other = StoredEvent {
        originator_id: bench.other_id(),
        ..bench.event(1, 2)
    };
    let refused = recorder.record(&Recording::new(vec![bench.event(1, 2), other]));
    assert!(
        matches!(&refused, Err(StoreError::IdType { id, expected })
        if *id == bench.other_id() && *expected == recorder.id_type()),
        "{refused:?}"
    );
    assert!(versions(&*recorder, &bench.other_id(), &EventQuery::all()).is_empty());
    assert_eq!(versions(&*recorder, &bench.id(1), &EventQuery::all()), [1]);
}

/// Rule: a state may be any bytes.
pub fn a_state_may_be_any_bytes(bench: &Bench) {
    let recorder = bench.leader();
    let states: [Vec<u8>; 4] = [
        Vec::new(),
        vec![0],
        (0..=255).collect(),
        vec![0xff; 100_000],
    ];
    let event = |(version, state): (u64, &Vec<u8>)| StoredEvent {
        state: state.clone(),
        topic: Cow::Owned(format!("module:Klasse.Ereignis„{version}“")),
        ..bench.event(1, version)
    };
    let events: Vec<_> = (1..).zip(&states).map(event).collect();
    recorder
        .record(&Recording::new(events.clone()))
        .expect("recorded");
    assert_eq!(
        recorder
            .select_events(&bench.id(1), &EventQuery::all())
            .expect("read"),
        events
    );
}
