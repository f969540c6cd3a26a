//! Many threads at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::bench::{Bench, positions, versions};
use crate::error::StoreError;
use crate::event_query::EventQuery;
use crate::followed::PoliciesMove;
use crate::notification::NotificationQuery;
use crate::recorder::ProcessRecorder;
use crate::recording::Recording;
use crate::tracking::Tracking;

const THREADS: usize = 8;

/// Runs `work` on many threads. Returns how often it returned true.
fn race(work: impl Fn(u64) -> bool + Sync) -> usize {
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..THREADS as u64)
            .map(|number| scope.spawn(move || work(number)))
            .collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().expect("no panic").then_some(()))
            .count()
    })
}

fn wins(recorder: &Arc<dyn ProcessRecorder>, recording: &Recording) -> bool {
    match recorder.record(recording) {
        Ok(_) => true,
        Err(StoreError::Conflict(_) | StoreError::PositionMoved { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Rule: of many savers of one version exactly one wins.
pub fn of_many_savers_of_one_version_exactly_one_wins(bench: &Bench) {
    let recorder = bench.leader();
    for version in 1..=20 {
        let recording = bench.events(1, [version]);
        assert_eq!(
            race(|_| wins(&recorder, &recording)),
            1,
            "version {version}"
        );
    }
    assert_eq!(
        versions(&*recorder, &bench.id(1), &EventQuery::all()),
        (1..=20).collect::<Vec<_>>()
    );
}

/// Rule: of many movers of one position exactly one wins.
pub fn of_many_movers_of_one_position_exactly_one_wins(bench: &Bench) {
    let recorder = bench.follower();
    let mut position = 0;
    for round in 1..=20 {
        let recordings: Vec<_> = (0..THREADS as u64)
            .map(|number| {
                bench
                    .events(u128::from(round * 100 + number), [1])
                    .tracking(Tracking::new("Up", position, position + 1 + number))
            })
            .collect();
        assert_eq!(
            race(|number| wins(&recorder, &recordings[number as usize])),
            1,
            "round {round}"
        );
        let tracked = recorder.tracked("Up").expect("read").expect("a position");
        assert!(tracked > position);
        position = tracked;
    }
    assert_eq!(positions(&*recorder, &NotificationQuery::all()).len(), 20);
}

/// Rule: of a mover of a position and those who change the policies of the same position, exactly
/// one wins.
pub fn of_a_mover_and_those_who_change_the_policies_exactly_one_wins(bench: &Bench) {
    let recorder = bench.follower();
    let (mut position, mut policies) = (0, None);
    for round in 1..=20 {
        let recordings: Vec<_> = (0..THREADS as u64)
            .map(|number| {
                let to = position + number % 2;
                let change = PoliciesMove::new(policies.clone(), format!("{round} {number}"));
                let tracking = Tracking::new("Up", position, to).policies(change);
                let events = bench.events(u128::from(round * 100 + number), [1]);
                // Those who change the policies alone have no events.
                match number % 4 {
                    0 => Recording::default().tracking(tracking),
                    _ => events.tracking(tracking),
                }
            })
            .collect();
        let won = race(|number| wins(&recorder, &recordings[number as usize]));
        assert_eq!(won, 1, "round {round}");
        let followed = recorder.followed("Up").expect("read");
        position = followed.position.expect("a position");
        assert_ne!(followed.policies, policies);
        policies = followed.policies;
    }
}

/// Runs `read` repeatedly on one thread while others record five events at a time. Every second
/// recording fails, because its last event is a conflict.
fn read_while_writing(
    bench: &Bench,
    mut read: impl FnMut(&Arc<dyn ProcessRecorder>) + Send,
) -> Arc<dyn ProcessRecorder> {
    let (recorder, done) = (bench.leader(), AtomicBool::new(false));
    let versions = |n| {
        if n % 2 == 0 {
            [1, 2, 3, 4, 5]
        } else {
            [6, 7, 8, 9, 5]
        }
    };
    let recordings: Vec<Vec<_>> = (0..THREADS as u128)
        .map(|writer| {
            (0..20)
                .map(|n| bench.events(writer * 100 + n / 2, versions(n)))
                .collect()
        })
        .collect();
    thread::scope(|scope| {
        let reading = scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                read(&recorder);
            }
            read(&recorder);
        });
        race(|writer| {
            recordings[writer as usize]
                .iter()
                .filter(|recording| wins(&recorder, recording))
                .count()
                > 0
        });
        done.store(true, Ordering::Release);
        reading.join().expect("no panic");
    });
    recorder
}

/// Rule: a reader never sees a position below one it has seen.
pub fn a_reader_never_sees_a_position_below_one_it_has_seen(bench: &Bench) {
    let mut seen = Vec::new();
    let recorder = read_while_writing(bench, |recorder| {
        let last = seen.last().copied().unwrap_or(0);
        seen.extend(positions(
            &**recorder,
            &NotificationQuery::after(last).limit(7),
        ));
        assert!(seen.len() <= positions(&**recorder, &NotificationQuery::all()).len());
    });
    let last = seen.last().copied().unwrap_or(0);
    seen.extend(positions(&*recorder, &NotificationQuery::after(last)));
    assert_eq!(seen, positions(&*recorder, &NotificationQuery::all()));
}

/// Rule: nobody sees a part of a recording.
pub fn nobody_sees_a_part_of_a_recording(bench: &Bench) {
    read_while_writing(bench, |recorder| {
        let log = recorder
            .select_notifications(&NotificationQuery::all())
            .expect("read");
        // Each successful recording has the versions 1 to 5 of one aggregate.
        assert_eq!(log.len() % 5, 0);
        assert!(log.iter().all(|event| event.originator_version <= 5));
    });
}
