//! The notification log, and how its listeners are woken.

use std::time::Duration;

use super::bench::{Bench, positions};
use crate::notification::{Head, NotificationQuery};
use crate::notification_log::NotificationLog;
use crate::recording::Recording;
use crate::signal::Signal;
use crate::stored_event::StoredEvent;
use crate::subscription::Subscription;
use crate::topic_filter::TopicFilter;

/// A time that is longer than any store needs. A rule that waits this long is broken.
const LONG: Duration = Duration::from_secs(20);

/// Rule: positions strictly increase in the order of recordings.
pub fn positions_strictly_increase_in_the_order_of_recordings(bench: &Bench) {
    let recorder = bench.leader();
    let mut all = Vec::new();
    for number in 1..=5 {
        let recorded = recorder
            .record(&bench.events(number, 1..=3))
            .expect("recorded");
        recorder
            .record(&bench.events(number, [4, 3]))
            .expect_err("a conflict may leave a gap");
        assert_eq!(recorded.last_position(), recorded.positions.last().copied());
        all.extend(recorded.positions);
    }
    assert!(
        all.first() >= Some(&1) && all.is_sorted_by(|a, b| a < b),
        "{all:?}"
    );
    assert_eq!(positions(&*recorder, &NotificationQuery::all()), all);
}

/// Rule: notifications are selected by start stop and limit.
pub fn notifications_are_selected_by_start_stop_and_limit(bench: &Bench) {
    let recorder = bench.leader();
    let at = recorder
        .record(&bench.events(1, 1..=6))
        .expect("recorded")
        .positions;
    let select = |query: NotificationQuery| positions(&*recorder, &query);
    assert_eq!(select(NotificationQuery::from(at[2])), at[2..]);
    assert_eq!(select(NotificationQuery::after(at[2])), at[3..]);
    assert_eq!(select(NotificationQuery::all().up_to(at[2])), at[..=2]);
    assert_eq!(
        select(NotificationQuery::after(at[1]).up_to(at[4]).limit(2)),
        at[2..4]
    );
    assert_eq!(select(NotificationQuery::from(0)), at);
    assert_eq!(select(NotificationQuery::after(0)), at);
    assert!(select(NotificationQuery::all().up_to(0)).is_empty());
    assert!(select(NotificationQuery::from(at[4]).up_to(at[1])).is_empty());
}

/// Rule: notifications are selected by topic.
pub fn notifications_are_selected_by_topic(bench: &Bench) {
    let recorder = bench.leader();
    let at = recorder
        .record(&bench.events(1, 1..=6))
        .expect("recorded")
        .positions;
    let select = |topics: &[&str]| {
        positions(
            &*recorder,
            &NotificationQuery::all().topics(topics.iter().copied()),
        )
    };
    assert_eq!(select(&["test:Thing.Odd"]), [at[0], at[2], at[4]]);
    assert_eq!(
        select(&["test:Thing.Odd", "test:Thing.Even", "test:Thing.Odd"]),
        at
    );
    assert!(select(&["test:Thing.Unknown", "test:Thing.odd", "'", "\"\u{0}"]).is_empty());
    assert!(select(&[]).is_empty());
    let page = NotificationQuery::after(at[0])
        .up_to(at[5])
        .limit(2)
        .topics(["test:Thing.Even"]);
    assert_eq!(positions(&*recorder, &page), [at[1], at[3]]);
}

/// Rule: all events of an aggregate are selected whatever their kind.
pub fn all_events_of_an_aggregate_are_selected_whatever_their_kind(bench: &Bench) {
    let recorder = bench.leader();
    let wanted = [
        "test:Thing.Odd",
        "test:Thing.Unknown",
        "test:Thing.",
        "test:Thing.Ünknown:x_%",
        "test:50%_'\"\\.Odd",
        "Ünder.Odd",
        "test:Listed.Odd",
    ];
    let others = [
        "test:Thing",
        "test:ThingBox.Odd",
        "test:Thing.Box.Odd",
        "test:Thing..Odd",
        "test:Thing..",
        "test:thing.Odd",
        "a.test:Thing.Odd",
        "test:500_'\"\\.Odd",
        "test:50%x'\"\\.Odd",
        "Under.Odd",
        "test:Listed.Even",
        "",
        ".",
    ];
    let topics = others
        .iter()
        .zip(wanted.iter().cycle())
        .flat_map(|(other, wanted)| [*other, *wanted]);
    let events = topics.clone().zip(1..).map(|(topic, version)| {
        let event = bench.event(1, version);
        StoredEvent::new(event.originator_id, version, topic.to_owned(), event.state)
    });
    let at = recorder
        .record(&Recording::new(events.collect()))
        .expect("recorded")
        .positions;
    let filter = TopicFilter::new(["test:Listed.Odd"]).of_aggregates([
        "test:Thing",
        "test:50%_'\"\\",
        "Ünder",
        "test:Absent",
    ]);
    let expected: Vec<_> = at.iter().copied().skip(1).step_by(2).collect();
    let all = NotificationQuery::all().filter(Some(filter.clone()));
    assert_eq!(positions(&*recorder, &all), expected);
    let page = NotificationQuery::after(at[0])
        .up_to(at[5])
        .limit(2)
        .filter(Some(filter.clone()));
    assert_eq!(positions(&*recorder, &page), [at[1], at[3]]);
    for topic in topics {
        assert_eq!(filter.selects(topic), wanted.contains(&topic), "{topic}");
    }
    let none = TopicFilter::default().of_aggregates(["test:Thing.Odd", "\u{0}"]);
    let none = NotificationQuery::all().filter(Some(none));
    assert!(positions(&*recorder, &none).is_empty());
}

/// Rule: positions beyond the end select nothing.
pub fn positions_beyond_the_end_select_nothing(bench: &Bench) {
    let recorder = bench.leader();
    let last = recorder
        .record(&bench.events(1, 1..=2))
        .expect("recorded")
        .last_position()
        .expect("a position");
    for start in [
        last + 1,
        i64::MAX.unsigned_abs(),
        i64::MAX.unsigned_abs() + 1,
        u64::MAX,
    ] {
        assert!(
            positions(&*recorder, &NotificationQuery::from(start)).is_empty(),
            "{start}"
        );
        assert!(
            positions(&*recorder, &NotificationQuery::after(start)).is_empty(),
            "{start}"
        );
        assert_eq!(
            positions(&*recorder, &NotificationQuery::from(last).up_to(start)),
            [last]
        );
    }
}

/// Rule: the head is the last event.
pub fn the_head_is_the_last_event(bench: &Bench) {
    let recorder = bench.leader();
    assert_eq!(recorder.head().expect("read"), None);
    let recorded = recorder.record(&bench.events(1, [1, 2])).expect("recorded");
    let position = recorded.last_position().expect("a position");
    let event = Some(bench.event_id(1, 2));
    assert_eq!(
        recorder.head().expect("read"),
        Some(Head { position, event })
    );
}

/// Rule: which event stands at a position is told.
pub fn which_event_stands_at_a_position_is_told(bench: &Bench) {
    let recorder = bench.leader();
    let mut at = Vec::new();
    for number in 1..=2 {
        let recorded = recorder.record(&bench.events(number, 1..=2));
        at.extend(recorded.expect("recorded").positions);
    }
    let event_at = |position| recorder.event_at(position).expect("read");
    assert_eq!(event_at(at[0]), Some(bench.event_id(1, 1)));
    assert_eq!(event_at(at[3]), Some(bench.event_id(2, 2)));
    for nothing in [
        0,
        at[3] + 1,
        i64::MAX.unsigned_abs(),
        i64::MAX.unsigned_abs() + 1,
        u64::MAX,
    ] {
        assert_eq!(event_at(nothing), None, "{nothing}");
    }
}

/// Rule: who listens is woken by a commit.
pub fn who_listens_is_woken_by_a_commit(bench: &Bench) {
    let (recorder, signal) = (bench.leader(), Signal::new());
    let _listening = recorder.listen(&signal).expect("listening");
    std::thread::scope(|scope| {
        let woken = scope.spawn(|| signal.wait(0, LONG));
        recorder.record(&bench.events(1, [1])).expect("recorded");
        assert_ne!(woken.join().expect("no panic"), 0);
    });
}

/// Rule: who listens no more is not woken.
pub fn who_listens_no_more_is_not_woken(bench: &Bench) {
    let (recorder, gone, there) = (bench.leader(), Signal::new(), Signal::new());
    let listening = recorder.listen(&gone).expect("listening");
    let _listening = recorder.listen(&there).expect("listening");
    drop(listening);
    recorder.record(&bench.events(1, [1])).expect("recorded");
    assert_ne!(there.wait(0, LONG), 0);
    assert_eq!(gone.rings(), 0);
}

/// Rule: a section of the log names itself and the next.
pub fn a_section_of_the_log_names_itself_and_the_next(bench: &Bench) {
    let recorder = bench.leader();
    let at = recorder
        .record(&bench.events(1, 1..=5))
        .expect("recorded")
        .positions;
    let log = NotificationLog::new(recorder).section_size(3);
    let first = log
        .section(&format!("{},{}", at[0], at[0] + 9))
        .expect("a section");
    assert_eq!(first.id, Some(format!("{},{}", at[0], at[2])));
    assert_eq!(first.next_id, Some(format!("{},{}", at[2] + 1, at[2] + 3)));
    let second = log
        .section(&first.next_id.expect("a next section"))
        .expect("a section");
    assert_eq!(second.id, Some(format!("{},{}", at[3], at[4])));
    assert_eq!((second.items.len(), second.next_id), (2, None));
    let behind = log
        .section(&format!("{},{}", at[4] + 1, at[4] + 10))
        .expect("a section");
    assert_eq!(
        (behind.id, behind.items.len(), behind.next_id),
        (None, 0, None)
    );
    assert!(log.section("5,1").expect("a section").items.is_empty());
    for malformed in ["", "1", "1,", "one,two", "1;10", "-1,5", "1,2,3"] {
        assert!(log.section(malformed).is_err(), "{malformed}");
    }
}

/// Rule: a subscription sees what was there and what comes.
pub fn a_subscription_sees_what_was_there_and_what_comes(bench: &Bench) {
    let recorder = bench.leader();
    let mut at = recorder
        .record(&bench.events(1, 1..=3))
        .expect("recorded")
        .positions;
    let mut subscription = Subscription::new(recorder.clone(), Some(at[0]))
        .expect("a subscription")
        .poll_interval(LONG);
    let stop = subscription.stop_handle();
    std::thread::scope(|scope| {
        let (seen, sees) = std::sync::mpsc::channel();
        scope.spawn(move || {
            subscription.by_ref().for_each(|next| {
                seen.send(next.expect("the store can be read").id)
                    .expect("heard")
            });
        });
        for version in 4..=5 {
            at.extend(
                recorder
                    .record(&bench.events(1, [version]))
                    .expect("recorded")
                    .positions,
            );
        }
        let seen: Vec<_> = sees.iter().take(4).collect();
        assert_eq!(seen, at[1..]);
        // The thread waits now, or is about to. It ends in both cases.
        stop.stop();
    });
}

/// Rule: a subscription to topics passes over the others.
pub fn a_subscription_to_topics_passes_over_the_others(bench: &Bench) {
    let recorder = bench.leader();
    let at = recorder
        .record(&bench.events(1, 1..=4))
        .expect("recorded")
        .positions;
    let mut subscription = Subscription::new(recorder, None)
        .expect("a subscription")
        .topics(["test:Thing.Even"]);
    let seen: Vec<_> = subscription
        .by_ref()
        .take(2)
        .map(|next| next.expect("read").id)
        .collect();
    assert_eq!(seen, [at[1], at[3]]);
    subscription.stop_handle().stop();
    assert!(subscription.next().is_none());
}
