//! Commits whose outcome cannot be found out in time.

use std::sync::mpsc::channel;

use es_store::StoreError;

use super::database;
use super::in_doubt::{FORMS, Form, Pair, Rivals, rivals};
use super::proxy::{POINTS, Point};
use super::wait_until;

/// Another transaction takes the lock, and holds it for longer than the second attempt waits for
/// it.
#[test]
fn when_the_second_attempt_gets_no_lock_the_outcome_is_unknown_and_a_retry_is_safe() {
    let Some(database) = database() else { return };
    for form in FORMS {
        let pair = Pair::new(&database, form, "0.2");
        for (point, number) in POINTS.into_iter().zip(1..) {
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
                assert!(
                    matches!(&unknown, Err(StoreError::OutcomeUnknown { .. })),
                    "{case}: {unknown:?}"
                );
                holder.batch_execute("ROLLBACK").expect("no lock");
                // The first attempt may still hold the lock at the server, which commits it then.
                let again = wait_until("the lock is never free", || {
                    let again = pair.ours.record(&ours);
                    let is_locked = matches!(again, Err(StoreError::Locked { .. }));
                    (!is_locked).then_some(again)
                });
                match (point, &again) {
                    (Point::Unsent | Point::Unfinished | Point::Sent, Ok(_)) => {}
                    (Point::Unheard | Point::Sent, Err(StoreError::Conflict(_))) => {}
                    (Point::Unheard | Point::Sent, Err(StoreError::PositionMoved { .. })) => {}
                    _ => panic!("{case}: {again:?}"),
                }
                pair.check(&ours, &case);
                pair.check_position(&upstream, &ours, &case);
            }
        }
    }
}

/// The save retries for the timeout of a lock, and for 30 seconds at least; so this runs with
/// `ES_TORTURE` only.
#[test]
fn when_the_server_is_not_found_again_the_outcome_is_unknown() {
    if std::env::var_os("ES_TORTURE").is_none() {
        return;
    }
    let Some(database) = database() else { return };
    let pair = Pair::new(&database, Form::Function, "30");
    let [Rivals { ours, .. }, ..] = rivals(1);
    pair.proxy.refuse(true);
    let unknown = pair.record(&ours, Point::Unheard, || {});
    assert!(
        matches!(&unknown, Err(StoreError::OutcomeUnknown { .. })),
        "{unknown:?}"
    );
    pair.proxy.refuse(false);
    let again = pair.ours.record(&ours);
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    pair.check(&ours, "the server was not found");
}
