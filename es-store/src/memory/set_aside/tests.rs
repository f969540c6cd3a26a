use std::time::{Duration, Instant};

use es_core::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::notification::Notification;
use crate::set_aside::{Decision, DecisionKind, SetAsideChange};
use crate::stored_event::StoredEvent;

fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).expect("a time")
}

fn put(sequence: &str, position: u64, behind: Option<u64>) -> SetAsideChange {
    let event = StoredEvent::new(Uuid::from_u128(1), position, "test:Thing.Odd", Vec::new());
    let event = Notification::new(position, event);
    let event = SetAside::new("Up", sequence, &event, time(position.cast_signed()));
    let event = Box::new(event);
    SetAsideChange::Put { event, behind }
}

fn done(position: u64) -> SetAsideChange {
    let upstream = "Up".to_owned();
    SetAsideChange::Done { upstream, position }
}

/// The rows, and the positions that wait by sequence, found by looking at all rows.
fn content(aside: &Aside) -> (Vec<SetAside>, BTreeMap<String, BTreeSet<u64>>) {
    let all = aside.select(&SetAsideQuery::all());
    let mut waiting: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for row in all.iter().filter(|row| row.decision.is_none()) {
        let positions = waiting.entry(row.sequence.clone()).or_default();
        positions.insert(row.position);
    }
    (all, waiting)
}

fn change() -> impl Strategy<Value = SetAsideChange> {
    let upstream = || "Up".to_owned();
    let position = 1_u64..12;
    let event = ("[ab]", position.clone(), proptest::option::of(1_u64..12));
    prop_oneof![
        4 => event.prop_map(|(sequence, position, behind)| put(&sequence, position, behind)),
        2 => position.clone().prop_map(done),
        1 => (position.clone(), 1_u32..3).prop_map(move |(position, attempts)| {
            SetAsideChange::Failed {
                upstream: upstream(), position, attempts, due: None, last: time(7), error: "no".to_owned(),
            }
        }),
        1 => position.clone().prop_map(move |position| SetAsideChange::Decide {
            upstream: upstream(), position, decision: Decision::new(DecisionKind::Discarded, "me", time(9)),
        }),
        1 => position.clone().prop_map(move |position| SetAsideChange::Due {
            upstream: upstream(), position, due: time(3),
        }),
        1 => position.prop_map(move |above| SetAsideChange::Forget { upstream: upstream(), above }),
    ]
}

proptest! {
    #[test]
    fn the_index_is_that_of_the_rows_and_a_refused_recording_leaves_nothing(
        recordings in proptest::collection::vec(proptest::collection::vec(change(), 1..4), 1..30)
    ) {
        let mut aside = Aside::default();
        for changes in recordings {
            let before = content(&aside);
            let changed = aside.change(&changes);
            let (rows, waiting) = content(&aside);
            if changed.is_err() {
                prop_assert_eq!((&rows, &waiting), (&before.0, &before.1));
            }
            let found = aside.upstreams.get("Up").map(|rows| rows.waiting.clone());
            prop_assert_eq!(found.unwrap_or_default(), waiting);
            if let Ok(replaced) = changed {
                aside.take_back(replaced);
                prop_assert_eq!(content(&aside), before);
                aside.change(&changes).expect("it was possible before");
            }
        }
    }
}

#[test]
fn ten_thousand_rows_are_put_selected_and_removed_in_no_time() {
    let (began, mut aside) = (Instant::now(), Aside::default());
    for position in 1..=10_000 {
        let behind = (position > 1).then_some(1);
        aside.change(&[put("a", position, behind)]).expect("put");
    }
    let firsts = aside.select(&SetAsideQuery::of("Up").firsts());
    assert_eq!(firsts.len(), 1);
    let mut followed = Followed::default();
    for position in 1..=10_000 {
        aside.complete(&mut followed, "Up");
        assert_eq!(followed.waiting.count, 10_001 - position);
        assert_eq!(followed.waiting.due, Some(time(position.cast_signed())));
        aside.change(&[done(position)]).expect("it is the first");
    }
    assert!(aside.select(&SetAsideQuery::all()).is_empty());
    assert!(began.elapsed() < Duration::from_secs(20));
}
