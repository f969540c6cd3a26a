//! Recordings that are sent again because their outcome is unknown.

use std::sync::mpsc::channel;
use std::thread;

use es_store::{Recording, Role, StoreError, Tracking};

use super::in_doubt::{FORMS, Pair, Rivals, rivals};
use super::proxy::{Point, Proxy};
use super::{database, event, open, recording, versions, wait_for_a_waiter, wait_until};

/// The second attempt gets no lock, so the outcome is unknown. Then the server is away for a while.
#[test]
fn a_recording_that_is_resent_is_recorded_once_however_its_first_attempt_ended() {
    let Some(database) = database() else { return };
    for form in FORMS {
        let pair = Pair::new(&database, form, "0.2");
        for (point, number) in [Point::Unsent, Point::Unheard].into_iter().zip(1..) {
            let [plain, _, batch, position] = rivals(number);
            for Rivals { ours, upstream, .. } in [plain, batch, position] {
                let case = format!("{form:?}, {point:?}, {upstream}");
                let tracking = pair.events.replace("_events", "_tracking");
                let lock = format!("{}; LOCK TABLE {tracking} IN EXCLUSIVE MODE", pair.lock());
                let mut holder = database.connect();
                let (hand_over, held) = channel();
                let take_the_lock = move || {
                    holder.batch_execute(&lock).expect("a lock");
                    hand_over.send(holder).expect("somebody waits for it");
                };
                let unknown = pair.record(&ours, point, take_the_lock);
                let mut holder = held.recv().expect("the lock was taken");
                let is_unknown = matches!(&unknown, Err(StoreError::OutcomeUnknown { .. }));
                assert!(is_unknown, "{case}: {unknown:?}");
                let resent = ours.clone().resent();
                let open = pair.ours.record(&resent).expect_err("it is locked");
                assert!(!open.is_refusal(), "{case}: {open}");
                holder.batch_execute("ROLLBACK").expect("no lock");
                let recorded = pair.ours.record(&resent).expect(&case);
                assert_eq!(recorded.positions.len(), ours.events.len(), "{case}");
                assert_eq!(pair.ours.record(&resent).expect(&case), recorded, "{case}");
                pair.check(&ours, &case);
                pair.check_position(&upstream, &ours, &case);
            }
        }
    }
}

/// The content is refused in each attempt, so the outcome is certain after all.
#[test]
fn a_recording_whose_content_is_refused_is_not_in_doubt_for_ever() {
    let Some(database) = database() else { return };
    let env = database.env();
    open("Dogs", Role::Leader, &env);
    let refuse = "ALTER TABLE dogs_events ADD CHECK (topic <> 'test:Thing.Refused')";
    database.connect().batch_execute(refuse).expect("a check");
    let proxy = Proxy::start(&env);
    let dogs = open("Dogs", Role::Leader, &proxy.env());
    let mut refused = event(1, 1);
    refused.topic = "test:Thing.Refused".into();
    proxy.trap("test:Thing.Refused", Point::Unheard, || {});
    let outcome = dogs.record(&Recording::new(vec![refused]));
    assert!(proxy.has_sprung());
    assert!(
        matches!(&outcome, Err(StoreError::Refused { .. })),
        "{outcome:?}"
    );
}

/// Moves of one position that follow each other are written as one group, whose answer is lost.
/// (The order of the two in the group is that of their threads; only one order is a sequence.)
#[test]
fn of_moves_in_one_group_that_is_sent_again_the_first_is_not_taken_for_refused() {
    let Some(database) = database() else { return };
    open("Dogs", Role::Follower, &database.env());
    let proxy = Proxy::start(&database.env().with("CREATE_TABLE", "n"));
    let dogs = open("Dogs", Role::Follower, &proxy.env());
    for round in 1..=5_u64 {
        let upstream = format!("Up{round}");
        let moved = |from, to| Tracking::new(&upstream, from, to);
        let first = recording(1, [round]).tracking(Tracking::new("Other", round - 1, round));
        let second = Recording::default().tracking(moved(0, 5));
        let third = recording(2, [round]).tracking(moved(5, 9));
        let mut other = database.connect();
        let mut held = other.transaction().expect("a transaction");
        held.batch_execute("LOCK TABLE dogs_events IN EXCLUSIVE MODE")
            .expect("a lock");
        thread::scope(|scope| {
            let lead = scope.spawn(|| dogs.record(&first));
            wait_for_a_waiter(&database, &[]);
            proxy.trap(&upstream, Point::Unheard, || {});
            let second = scope.spawn(|| dogs.record(&second));
            let third = scope.spawn(|| {
                // A third that comes first is refused, and is then a group of its own.
                wait_until("the position stays", || match dogs.record(&third) {
                    Err(StoreError::PositionMoved { found: 0, .. }) => None,
                    outcome => Some(outcome),
                })
            });
            held.rollback().expect("no lock");
            lead.join().expect("no panic").expect("recorded");
            second.join().expect("no panic").expect("it was recorded");
            third.join().expect("no panic").expect("it was recorded");
        });
        assert!(proxy.has_sprung(), "the connection was not lost");
        assert_eq!(dogs.tracked(&upstream).expect("read"), Some(9));
    }
    assert_eq!(versions(&*dogs).len(), 10);
}
