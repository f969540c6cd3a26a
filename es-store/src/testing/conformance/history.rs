//! The events by which a follower notices that an upstream's log was replaced.

use super::bench::Bench;
use crate::digest::Digest;
use crate::notification::NotificationQuery;
use crate::recording::Recording;
use crate::tracking::Tracking;
use crate::upstream_event::UpstreamEvent;

/// Rule: the digest of an event is that of its topic and its stored state, wherever it is read.
pub fn an_event_has_the_same_digest_wherever_it_is_read(bench: &Bench) {
    let recorder = bench.leader();
    let lengths = [0, 1, 31, 32, 33, 63, 64, 65, 95, 96, 97, 200, 3_000_000];
    for (version, length) in (1..).zip(lengths) {
        let mut event = bench.event(1, version);
        // The bytes differ from each other and do not compress well.
        event.state = (0..length)
            .map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        let recording = Recording::new(vec![event.clone()]);
        let recorded = recorder.record(&recording).expect("recorded");
        let position = recorded.last_position().expect("a position");
        let expected = UpstreamEvent::from(&event);
        assert_eq!(
            expected.digest,
            Some(Digest::of(&event.topic, &event.state))
        );
        let head = recorder.head().expect("read").expect("a head");
        assert_eq!(head.event, Some(expected.clone()), "{length}");
        let at = recorder.event_at(position).expect("read");
        assert_eq!(at, Some(expected.clone()), "{length}");
        let page = recorder.select_page(&NotificationQuery::after(position));
        assert_eq!(page.expect("read").start, Some(expected), "{length}");
    }
}

/// Rule: a page has the event at which it starts, whatever its topic and the limits of the page.
pub fn a_page_has_the_event_at_which_it_starts(bench: &Bench) {
    let recorder = bench.leader();
    let recorded = recorder.record(&bench.events(1, 1..=5)).expect("recorded");
    let at = recorded.positions;
    let all = NotificationQuery::after(at[0]);
    let queries = [
        all.clone(),
        all.clone().byte_limit(1),
        all.clone().limit(2),
        all.clone().limit(2).byte_limit(1_000_000),
        all.clone().up_to(at[0]),
        all.clone().up_to(at[3]).topics(["test:Thing.Even"]),
        all.clone().topics(["test:Thing.Other"]),
        NotificationQuery::from(at[0]),
        NotificationQuery::from(at[0]).topics(["test:Thing.Even"]),
    ];
    for query in queries {
        let page = recorder.select_page(&query).expect("read");
        assert_eq!(page.start, Some(bench.event_id(1, 1)), "{query:?}");
        let selected = recorder.select_notifications(&query).expect("read");
        assert_eq!(page.notifications, selected, "{query:?}");
    }
    for start in [0, at[4] + 1, i64::MAX.unsigned_abs(), u64::MAX] {
        let query = NotificationQuery::after(start);
        let page = recorder.select_page(&query).expect("read");
        assert_eq!(page.start, None, "{start}");
    }
    let page = recorder.select_page(&NotificationQuery::all());
    let page = page.expect("read");
    assert_eq!((page.start, page.notifications.len()), (None, 5));
}

/// Rule: a page of large events has the event at which it starts as well.
pub fn a_page_of_large_events_has_the_event_at_which_it_starts(bench: &Bench) {
    let recorder = bench.leader();
    let mut recording = bench.events(1, 1..=4);
    recording.events[2].state = vec![7; 100_000];
    let recorded = recorder.record(&recording).expect("recorded");
    let query = NotificationQuery::after(recorded.positions[0]);
    let query = query.limit(10).byte_limit(50_000);
    let page = recorder.select_page(&query).expect("read");
    assert_eq!(page.start, Some(bench.event_id(1, 1)));
    let selected: Vec<_> = page.notifications.iter().map(|one| one.id).collect();
    assert_eq!(selected, recorded.positions[1..3]);
}

/// Rule: the digest counts only at the position with which it was recorded. A program that does not
/// know it moves the position and leaves it.
pub fn the_digest_counts_only_at_its_position(bench: &Bench) {
    let recorder = bench.follower();
    let known = |version| bench.event_id(7, version);
    let unknown = |version| UpstreamEvent::new(bench.id(7), version);
    let moved = |from, to, event| {
        let tracking = Tracking::new("Up", from, to).at(event);
        let recording = Recording::default().tracking(tracking);
        recorder.record(&recording).expect("recorded");
        recorder.followed("Up").expect("read").event
    };
    assert_eq!(moved(0, 5, known(1)), Some(known(1)));
    assert_eq!(moved(5, 6, unknown(2)), Some(unknown(2)));
    assert_eq!(moved(6, 7, known(3)), Some(known(3)));
    let bare = Recording::default().tracking(Tracking::new("Up", 7, 8));
    recorder.record(&bare).expect("recorded");
    assert_eq!(recorder.followed("Up").expect("read").event, None);
    assert_eq!(moved(8, 9, known(1)), Some(known(1)));
}
