//! Decisions about events that are set aside, queries for them, and many programs at once.

use std::sync::Barrier;
use std::thread;

use super::bench::{Bench, snapshot};
use super::set_aside::{
    able, all, assert_changed, assert_refused, change, discard, done, failed, positions, put, row,
    set_all_aside, set_aside, time,
};
use crate::error::StoreError;
use crate::notification::NotificationQuery;
use crate::recorder::ProcessRecorder;
use crate::recording::Recording;
use crate::set_aside::{Decision, DecisionKind, SetAsideChange, SetAsideQuery, Waiting};
use crate::tracking::Tracking;

const THREADS: u64 = 4;

/// No positions.
const NONE: [u64; 0] = [];

fn due(position: u64, seconds: i64) -> SetAsideChange {
    SetAsideChange::Due {
        upstream: "Up".to_owned(),
        position,
        due: time(seconds),
    }
}

fn forget(above: u64) -> SetAsideChange {
    let upstream = "Up".to_owned();
    SetAsideChange::Forget { upstream, above }
}

fn waiting(recorder: &dyn ProcessRecorder, upstream: &str) -> Waiting {
    recorder.followed(upstream).expect("read").waiting
}

/// Rule: a decision ends the waiting of any row, and stays.
pub fn a_decision_ends_the_waiting_and_stays(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    set_all_aside(&*recorder, bench, &[1, 2, 3]);
    for position in [2, 1] {
        change(&*recorder, discard(position)).expect("decided");
        for late in [
            discard(position),
            done(position),
            failed(position, 1),
            due(position, 9),
        ] {
            assert_refused(&*recorder, &Recording::default().set_aside(late), position);
        }
    }
    change(&*recorder, done(3)).expect("it is the first now");
    let rows = all(&*recorder);
    let decisions = rows
        .iter()
        .map(|row| row.decision.as_ref().map(|one| &*one.who));
    assert_eq!(decisions.collect::<Vec<_>>(), [Some("Ann"), Some("Ann")]);
    assert!(rows.iter().all(|row| row.due.is_none()));
    assert_eq!(waiting(&*recorder, "Up"), Waiting::default());
    set_aside(&*recorder, row(bench, "a", 4), None).expect("nothing waits");
}

/// Rule: any event that waits becomes due.
pub fn an_event_that_waits_becomes_due(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    set_all_aside(&*recorder, bench, &[1, 2]);
    change(&*recorder, due(2, 30)).expect("it waits");
    change(&*recorder, due(1, 20)).expect("it waits");
    assert_refused(&*recorder, &Recording::default().set_aside(due(3, 9)), 3);
    let dues: Vec<_> = all(&*recorder).iter().map(|row| row.due).collect();
    assert_eq!(dues, [Some(time(20)), Some(time(30))]);
}

/// Rule: rows above a position are forgotten, decided ones as well, and those of no other upstream.
pub fn rows_above_a_position_are_forgotten(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    set_all_aside(&*recorder, bench, &[1, 2, 3, 4]);
    change(&*recorder, discard(4)).expect("decided");
    let mut other = row(bench, "a", 9);
    "Down".clone_into(&mut other.upstream);
    let tracking = Tracking::new("Down", 0, 9);
    let recording = Recording::from(tracking).set_aside(put(other, None));
    recorder.record(&recording).expect("set aside");
    change(&*recorder, forget(2)).expect("forgotten");
    assert_eq!(positions(&*recorder, &SetAsideQuery::of("Up")), [1, 2]);
    assert_eq!(positions(&*recorder, &SetAsideQuery::of("Down")), [9]);
    change(&*recorder, forget(2)).expect("there are none");
    change(&*recorder, forget(0)).expect("forgotten");
    assert_eq!(positions(&*recorder, &SetAsideQuery::all()), [9]);
}

/// Sets four events of each of two upstreams aside. The one at position 7 of `a` is decided.
fn set_two_upstreams_aside(recorder: &dyn ProcessRecorder, bench: &Bench) {
    let mut recording = Recording::default();
    for upstream in ["a", "B"] {
        recording = recording.tracking(Tracking::new(upstream, 0, 9));
        for position in [4, 2, 9, 7] {
            let sequence = if position % 2 == 0 { "even" } else { "odd" };
            let mut event = row(bench, sequence, position);
            upstream.clone_into(&mut event.upstream);
            event.due = event.due.filter(|_| position != 9);
            recording = recording.set_aside(put(event, None));
        }
    }
    recorder.record(&recording).expect("recorded");
    let decided = SetAsideChange::Decide {
        upstream: "a".to_owned(),
        position: 7,
        decision: Decision::new(DecisionKind::Discarded, "Ann", time(1)),
    };
    change(recorder, decided).expect("decided");
}

/// Rule: all parts of a query select, and rows come in the order of upstreams and positions.
pub fn what_is_set_aside_is_selected_by_all_parts_of_a_query(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    set_two_upstreams_aside(&*recorder, bench);
    let found = |query: SetAsideQuery| positions(&*recorder, &query);
    let (all, of_a) = (SetAsideQuery::all, || SetAsideQuery::of("a"));
    assert_eq!(found(all()), [2, 4, 7, 9, 2, 4, 7, 9]);
    let rows = recorder.select_set_aside(&all()).expect("read");
    assert_eq!((&*rows[0].upstream, &*rows[4].upstream), ("B", "a"));
    assert_eq!(found(all().limit(5)), [2, 4, 7, 9, 2]);
    assert_eq!(found(all().limit(0)), NONE);
    assert_eq!(found(of_a()), [2, 4, 7, 9]);
    assert_eq!(found(of_a().waiting()), [2, 4, 9]);
    assert_eq!(found(of_a().decided()), [7]);
    assert_eq!(found(of_a().firsts()), [2, 9]);
    assert_eq!(found(SetAsideQuery::of("B").firsts()), [2, 7]);
    assert_eq!(found(of_a().firsts().due(time(1))), NONE);
    assert_eq!(found(of_a().firsts().due(time(4))), [2]);
    assert_eq!(found(of_a().due(time(4))), [2, 4]);
    assert_eq!(found(of_a().due(time(99))), [2, 4]);
    let of = |texts: &[&str]| {
        texts
            .iter()
            .map(|&text| text.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(found(of_a().sequences(of(&["odd"]))), [7, 9]);
    assert_eq!(
        found(of_a().sequences(of(&["none", "even", "odd"])).firsts()),
        [2, 9]
    );
    assert_eq!(found(of_a().sequences(of(&["none"]))), NONE);
    assert_eq!(found(all().sequences(Vec::new())), NONE);
    assert_eq!(found(of_a().at(4)), [4]);
    assert_eq!(found(of_a().at(5)), NONE);
    assert_eq!(found(of_a().at(0)), NONE);
    let between = SetAsideQuery {
        above: Some(2),
        up_to: Some(7),
        ..of_a()
    };
    assert_eq!(found(between), [4, 7]);
    let beyond = SetAsideQuery {
        above: Some(u64::MAX),
        ..all()
    };
    assert_eq!(found(beyond), NONE);
    assert_eq!(found(SetAsideQuery::of("c")), NONE);
}

/// Rule: what is due comes in the order of its times, so that a row that is due again and again
/// keeps no other one from its turn.
pub fn what_is_due_comes_in_the_order_of_its_times(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    let mut recording = Recording::from(Tracking::new("Up", 0, 9));
    for (position, seconds) in [(2, 40), (3, 20), (4, 30), (5, 20), (6, 99)] {
        let event = row(bench, &position.to_string(), position);
        let event = event.failed("", Some(time(seconds)));
        recording = recording.set_aside(put(event, None));
    }
    recorder.record(&recording).expect("recorded");
    let due = || SetAsideQuery::of("Up").firsts().due(time(50));
    assert_eq!(positions(&*recorder, &due()), [3, 5, 4, 2]);
    assert_eq!(positions(&*recorder, &due().limit(1)), [3]);
    assert_eq!(positions(&*recorder, &due().limit(3)), [3, 5, 4]);
    let all = SetAsideQuery::of("Up").firsts();
    assert_eq!(positions(&*recorder, &all), [2, 3, 4, 5, 6]);
}

/// Rule: a follower knows how many events wait, and when the first of a sequence is due.
pub fn a_follower_knows_what_waits_and_when_it_is_due(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    assert_eq!(waiting(&*recorder, "Up"), Waiting::default());
    set_all_aside(&*recorder, bench, &[5, 6, 7]);
    set_aside(&*recorder, row(bench, "b", 8), None).expect("set aside");
    set_aside(&*recorder, row(bench, "c", 9).failed("no", None), None).expect("set aside");
    assert_eq!(waiting(&*recorder, "Up"), Waiting::new(5, Some(time(5))));
    // A row behind the first of its sequence is due before it, and does not count.
    change(&*recorder, due(6, 1)).expect("it waits");
    change(&*recorder, due(5, 40)).expect("it waits");
    assert_eq!(waiting(&*recorder, "Up"), Waiting::new(5, Some(time(8))));
    change(&*recorder, done(8)).expect("the first");
    assert_eq!(waiting(&*recorder, "Up"), Waiting::new(4, Some(time(40))));
    change(&*recorder, done(5)).expect("the first");
    assert_eq!(waiting(&*recorder, "Up"), Waiting::new(3, Some(time(1))));
    for position in [6, 7] {
        change(&*recorder, discard(position)).expect("decided");
    }
    assert_eq!(waiting(&*recorder, "Up"), Waiting::new(1, None));
    assert_eq!(waiting(&*recorder, "Down"), Waiting::default());
}

/// Rule: a resent change of what is set aside is recorded once.
pub fn a_resent_change_of_what_is_set_aside_is_recorded_once(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    let alone = |change| Recording::default().set_aside(change);
    let first = Recording::from(Tracking::new("Up", 0, 1)).set_aside(put(row(bench, "a", 1), None));
    let second =
        Recording::from(Tracking::new("Up", 1, 2)).set_aside(put(row(bench, "a", 2), Some(1)));
    for recording in [
        first,
        second,
        alone(failed(1, 1)),
        alone(due(2, 9)),
        bench.events(1, [1]).set_aside(done(1)),
        alone(done(2)),
        Recording::from(Tracking::new("Up", 2, 3)).set_aside(put(row(bench, "a", 3), None)),
        alone(discard(3)),
        alone(forget(0)),
    ] {
        recorder
            .record(&recording.clone().resent())
            .expect("recorded");
        let after = (snapshot(&*recorder, "Up"), all(&*recorder));
        recorder.record(&recording.resent()).expect("it is there");
        assert_eq!((snapshot(&*recorder, "Up"), all(&*recorder)), after);
    }
}

/// Rule: a change that means nothing is refused, and so is any in the store of a leader.
pub fn a_change_of_what_is_set_aside_that_means_nothing_is_refused(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    let mut of_none = row(bench, "a", 5);
    of_none.sequence.clear();
    let mut reserved = row(bench, "a", 5);
    "__rebuild__Up".clone_into(&mut reserved.upstream);
    let mut large = row(bench, "a", 5);
    large.originator_version = u64::MAX;
    let moved = || Recording::from(Tracking::new("Up", 0, 9));
    for nothing in [
        moved().set_aside(put(of_none, None)),
        moved().set_aside(put(reserved, None)),
        moved().set_aside(put(large, None)),
        moved().set_aside(done(u64::MAX)),
    ] {
        let refused = recorder.record(&nothing);
        assert!(
            matches!(refused, Err(StoreError::Invalid(_))),
            "{refused:?}"
        );
    }
    assert_eq!(recorder.tracked("Up").expect("read"), None);
    let leader = bench.leader();
    let refused = leader.record(&Recording::default().set_aside(forget(0)));
    assert!(
        matches!(refused, Err(StoreError::Invalid(_))),
        "{refused:?}"
    );
    assert!(all(&*leader).is_empty());
}

/// Rule: of many programs that retry one sequence, each row is done by one, in order.
pub fn of_many_who_retry_a_sequence_each_row_is_done_once(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    let rows: Vec<u64> = (1..=12).collect();
    set_all_aside(&*recorder, bench, &rows);
    // Each thread has effects of its own, so that no conflict of versions refuses a second retry.
    let effect = |thread: u64, position: u64| {
        let number = u128::from(thread * 100 + position);
        bench.events(number, [1]).set_aside(done(position))
    };
    let recordings: Vec<Vec<_>> = (0..THREADS)
        .map(|thread| {
            rows.iter()
                .map(|position| effect(thread, *position))
                .collect()
        })
        .collect();
    // All of them try each row at the same time.
    let together = Barrier::new(recordings.len());
    let wins = |own: &[Recording]| {
        let wins = own.iter().filter(|recording| {
            together.wait();
            match recorder.record(recording) {
                Ok(_) => true,
                Err(StoreError::SetAsideChanged { .. }) => false,
                Err(error) => panic!("{error}"),
            }
        });
        wins.count()
    };
    let wins: usize = thread::scope(|scope| {
        let threads = recordings.iter().map(|own| scope.spawn(|| wins(own)));
        let threads: Vec<_> = threads.collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .sum()
    });
    assert_eq!(wins, rows.len());
    let log = recorder.select_notifications(&NotificationQuery::all());
    assert_eq!(log.expect("read").len(), rows.len());
    assert!(all(&*recorder).is_empty());
}

/// Rule: nothing is set aside behind a row that another program has just removed.
pub fn nothing_is_set_aside_behind_a_row_that_was_just_removed(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    for round in 1..=20_u64 {
        let (first, behind) = (round * 2 - 1, round * 2);
        set_aside(&*recorder, row(bench, "a", first), None).expect("set aside");
        let tracking = Tracking::new("Up", first, behind);
        let batch = Recording::from(tracking).set_aside(put(row(bench, "a", behind), Some(first)));
        let retry = Recording::default().set_aside(done(first));
        let set_aside = thread::scope(|scope| {
            let batch = scope.spawn(|| recorder.record(&batch));
            recorder.record(&retry).expect("it is the first");
            batch.join().expect("no panic")
        });
        let at = recorder.tracked("Up").expect("read");
        match set_aside {
            Ok(_) => {
                assert_eq!(
                    (at, positions(&*recorder, &SetAsideQuery::all())),
                    (Some(behind), vec![behind])
                );
                change(&*recorder, done(behind)).expect("it is the first");
            }
            Err(StoreError::SetAsideChanged { .. }) => {
                assert_eq!((at, all(&*recorder).len()), (Some(first), 0));
                let next = Recording::from(Tracking::new("Up", first, behind));
                recorder.record(&next).expect("moved");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Rule: a change that is refused fails none of the recordings that are sent at the same time.
pub fn a_refused_change_fails_no_other_recording(bench: &Bench) {
    let Some(recorder) = able(bench) else { return };
    let saves: Vec<Vec<_>> = (1..=THREADS)
        .map(|number| {
            (1..=10)
                .map(|version| bench.events(number.into(), [version]))
                .collect()
        })
        .collect();
    let moves = |at: u64| Recording::from(Tracking::new("Up", at, at + 1));
    thread::scope(|scope| {
        for own in &saves {
            let recorder = &*recorder;
            scope.spawn(move || {
                for save in own {
                    recorder.record(save).expect("it is not refused");
                    let refused = recorder.record(&Recording::default().set_aside(done(7)));
                    assert_changed(&refused, 7);
                }
            });
        }
        for at in 0..10 {
            recorder.record(&moves(at)).expect("it is not refused");
        }
    });
    let head = recorder.head().expect("read").expect("a head");
    assert_eq!(recorder.tracked("Up").expect("read"), Some(10));
    let log = recorder.select_notifications(&NotificationQuery::all());
    assert_eq!(log.expect("read").len() as u64, THREADS * 10);
    assert!(head.position >= THREADS * 10);
}
