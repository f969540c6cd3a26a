//! Commits that wait for the lock of the table in the server when their connection is lost.

use std::thread;

use es_store::{Recorded, Recording};

use super::in_doubt::{FORMS, Form, Outcome, Pair, Rivals, rivals, winner};
use super::proxy::{Ends, POINTS};
use super::{database, recording, wait_for_a_waiter, wait_until, waiters};

/// The writer that takes the version while a commit waits for the lock in the server and its
/// connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    Nobody,
    /// The writer that holds the lock.
    InFront,
    /// A writer that also waits for the lock, between the first attempt and the second.
    Behind,
}

#[test]
fn a_commit_that_is_cut_off_while_it_waits_for_the_lock_is_recorded_once_or_refused() {
    let Some(database) = database() else { return };
    for form in FORMS {
        let pair = Pair::new(&database, form, "30");
        let all = [Other::Nobody, Other::InFront, Other::Behind];
        let cases = all
            .into_iter()
            .flat_map(|other| [(other, Ends::Both), (other, Ends::Client)]);
        for ((other, ends), number) in cases.zip(1..) {
            let [rivals, ..] = rivals(number);
            let case = format!("{form:?}, {other:?}, {ends:?}");
            let outcomes = cut_off_in_the_queue(&pair, &rivals, other, ends);
            let winner = match &outcomes {
                (Ok(_), None) => &rivals.ours,
                (ours, Some(theirs)) => winner(&rivals, ours, theirs, &case),
                (Err(error), None) => panic!("{case}: {error}"),
            };
            assert!(other != Other::InFront || outcomes.0.is_err(), "{case}");
            pair.check(winner, &case);
        }
    }
}

/// Returns our outcome and that of the other writer.
fn cut_off_in_the_queue(
    pair: &Pair<'_>,
    rivals: &Rivals,
    other: Other,
    ends: Ends,
) -> (Outcome, Option<Outcome>) {
    let mut holder = pair.database.connect();
    holder.batch_execute(&pair.lock()).expect("a lock");
    thread::scope(|scope| {
        let ours = scope.spawn(|| pair.ours.record(&rivals.ours));
        let mut waiting = wait_for_a_waiter(pair.database, &[]);
        let behind = (other == Other::Behind).then(|| {
            let behind = scope.spawn(|| pair.theirs.record(&rivals.theirs));
            waiting = wait_for_a_waiter(pair.database, &waiting);
            behind
        });
        pair.proxy.cut(ends);
        wait_for_a_waiter(pair.database, &waiting);
        let in_front = (other == Other::InFront).then(|| {
            let insert = format!(
                "INSERT INTO {} (originator_id, originator_version, topic, state) VALUES ($1::text::uuid, 1, $2, $3)",
                pair.events
            );
            let event = &rivals.theirs.events[0];
            let id = event.originator_id.to_string();
            let inserted = holder.execute(&insert, &[&id, &&*event.topic, &event.state]);
            inserted.expect("inserted");
            Ok(Recorded::default())
        });
        holder.batch_execute("COMMIT").expect("no lock");
        let behind = behind.map(|behind| behind.join().expect("no panic"));
        (ours.join().expect("no panic"), behind.or(in_front))
    })
}

#[test]
fn a_commit_whose_first_attempt_the_server_has_given_up_is_recorded_by_the_second() {
    let Some(database) = database() else { return };
    for form in FORMS {
        let pair = Pair::new(&database, form, "30");
        let mut holder = database.connect();
        holder.batch_execute(&pair.lock()).expect("a lock");
        thread::scope(|scope| {
            let recorded = scope.spawn(|| pair.ours.record(&recording(1, 1..=3)));
            let first = wait_for_a_waiter(&database, &[]);
            pair.proxy.cut(Ends::Both);
            wait_for_a_waiter(&database, &first);
            // Within a second the server checks whether its client is still there.
            wait_until("the first attempt stays", || {
                let waiting = waiters(&database);
                first
                    .iter()
                    .all(|first| !waiting.contains(first))
                    .then_some(())
            });
            holder.batch_execute("COMMIT").expect("no lock");
            recorded.join().expect("no panic").expect("recorded");
        });
        pair.check(&recording(1, 1..=3), &format!("{form:?}"));
    }
}

/// Two writers save the same version, together or one after the other, behind one that waits for
/// the lock. One of them is refused by plain statements, whose commit is lost.
#[test]
fn the_commit_of_what_had_to_be_judged_is_sent_again_too() {
    let Some(database) = database() else { return };
    let pair = Pair::new(&database, Form::Function, "30");
    for (point, number) in POINTS.into_iter().zip(1..) {
        let ([rivals, ..], case) = (rivals(number), format!("{point:?}"));
        let first = recording(10 * number + 9, [1]);
        let mut holder = database.connect();
        holder.batch_execute(&pair.lock()).expect("a lock");
        pair.proxy.trap("COMMIT", point, || {});
        let [ours, theirs] = thread::scope(|scope| {
            let record = |one| {
                let recorder = &pair.ours;
                scope.spawn(move || recorder.record(one))
            };
            let in_front = record(&first);
            wait_for_a_waiter(&database, &[]);
            let both = [&rivals.ours, &rivals.theirs].map(record);
            holder.batch_execute("COMMIT").expect("no lock");
            in_front.join().expect("no panic").expect("recorded");
            both.map(|one| one.join().expect("no panic"))
        });
        assert!(pair.proxy.has_sprung(), "{case}: nothing was judged");
        let winner = winner(&rivals, &ours, &theirs, &case);
        let all = [first.events, winner.events.clone()].concat();
        pair.check(&Recording::new(all), &case);
    }
}
