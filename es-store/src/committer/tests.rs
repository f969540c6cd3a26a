//! Tests the committer with a writer that waits for a sign before each group, so that the tests
//! know which threads are in line.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, Scope, ScopedJoinHandle, ThreadId};
use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::signal::Signal;
use crate::stored_event::StoredEvent;

const LONG: Duration = Duration::from_secs(60);

/// The outcome that the writer gives to the next group.
#[derive(Clone, Copy)]
enum Sign {
    Commit,
    Fail,
    Panic,
}

/// A group that was written: the numbers of its recordings, and the thread that wrote it.
type Group = (Vec<u128>, ThreadId);

struct Paper {
    signs: Receiver<Sign>,
    groups: Sender<Group>,
}

impl GroupWriter for Paper {
    fn commit(&mut self, group: &[&Recording]) -> Result<Vec<Outcome>, StoreError> {
        match self.signs.recv_timeout(LONG).expect("a sign") {
            Sign::Commit => {}
            Sign::Fail => return Err(StoreError::Invalid("torn".to_owned())),
            Sign::Panic => std::panic::resume_unwind(Box::new("burnt")),
        }
        let numbers = group.iter().map(|recording| number(recording)).collect();
        self.groups
            .send((numbers, thread::current().id()))
            .expect("heard");
        let recorded = group
            .iter()
            .map(|recording| Ok(Recorded::new(vec![number(recording) as u64])));
        Ok(recorded.collect())
    }
}

fn recording(number: u128, events: usize, bytes: usize) -> Recording {
    let event = StoredEvent::new(Uuid::from_u128(number), 1, "", vec![0; bytes]);
    Recording::new(vec![event; events])
}

fn number(recording: &Recording) -> u128 {
    match &recording.events[0].originator_id {
        es_core::AggregateId::Uuid(id) => id.as_u128(),
        other => panic!("{other}"),
    }
}

struct Desk {
    committer: Committer<Paper>,
    signals: Signals,
    sign: Sender<Sign>,
    groups: Receiver<Group>,
}

impl Desk {
    fn new(limit: Duration) -> Self {
        let ((sign, signs), (written, groups)) = (channel(), channel());
        let queue = Label::new("paper", limit, "PAPER_TIMEOUT");
        let paper = Paper {
            signs,
            groups: written,
        };
        let signals = Signals::default();
        Self {
            committer: Committer::new(paper, signals.clone(), queue),
            signals,
            sign,
            groups,
        }
    }

    fn sign(&self, signs: &[Sign]) {
        signs
            .iter()
            .for_each(|sign| self.sign.send(*sign).expect("awaited"));
    }

    /// Returns the numbers of the groups that were written.
    fn groups(&self) -> Vec<Vec<u128>> {
        self.groups.try_iter().map(|(numbers, _)| numbers).collect()
    }

    /// Starts threads that record these numbers, the first as the leader and the others in line in
    /// this order.
    fn line_up<'a>(
        &'a self,
        scope: &'a Scope<'a, '_>,
        recordings: impl IntoIterator<Item = Recording>,
    ) -> Vec<ScopedJoinHandle<'a, Outcome>> {
        let join = |(before, recording)| {
            let committer = &self.committer;
            let thread = scope.spawn(move || committer.record(&recording));
            let is_there = || match before {
                0 => self.committer.writer.try_lock().is_err(),
                before => self.committer.handoff.waiting() == before,
            };
            while !is_there() {
                thread::yield_now();
            }
            thread
        };
        recordings.into_iter().enumerate().map(join).collect()
    }
}

fn ends(threads: Vec<ScopedJoinHandle<'_, Outcome>>) -> Vec<Outcome> {
    threads
        .into_iter()
        .map(|thread| thread.join().expect("no panic"))
        .collect()
}

fn small(number: u128) -> Recording {
    recording(number, 1, 1)
}

#[test]
fn a_lone_thread_does_its_work_itself() {
    let desk = Desk::new(LONG);
    desk.sign(&[Sign::Commit; 3]);
    for number in 0..3 {
        let recorded = desk.committer.record(&small(number)).expect("recorded");
        assert_eq!(recorded.positions, [number as u64]);
        assert_eq!(
            desk.groups.try_recv(),
            Ok((vec![number], thread::current().id()))
        );
    }
}

#[test]
fn those_who_came_meanwhile_are_the_next_group_and_each_learns_its_own_outcome() {
    let desk = Desk::new(LONG);
    let signal = Signal::new();
    let _listening = desk.signals.listen(&signal);
    thread::scope(|scope| {
        let threads = desk.line_up(scope, (0..6).map(small));
        desk.sign(&[Sign::Commit; 2]);
        for (number, outcome) in ends(threads).into_iter().enumerate() {
            assert_eq!(outcome.expect("recorded").positions, [number as u64]);
        }
    });
    assert_eq!(desk.groups(), [vec![0], vec![1, 2, 3, 4, 5]]);
    assert_eq!(signal.rings(), 2, "once a group");
}

#[test]
fn a_leader_that_comes_again_stands_at_the_end_of_the_line() {
    let desk = Desk::new(LONG);
    thread::scope(|scope| {
        let large = |number| recording(number, 1, 600_000);
        let mut threads = desk.line_up(scope, (0..4).map(large));
        desk.sign(&[Sign::Commit]);
        assert!(ends(vec![threads.remove(0)])[0].is_ok());
        let (committer, again) = (&desk.committer, large(9));
        threads.push(scope.spawn(move || committer.record(&again)));
        while desk.committer.handoff.waiting() < 3 {
            thread::yield_now();
        }
        desk.sign(&[Sign::Commit; 4]);
        assert!(ends(threads).iter().all(Result::is_ok));
    });
    assert_eq!(desk.groups(), [[0], [1], [2], [3], [9]]);
}

#[test]
fn a_group_ends_before_it_has_too_many_events_or_bytes() {
    let desk = Desk::new(LONG);
    thread::scope(|scope| {
        let many_events = (1..5).map(|number| recording(number, 400, 1));
        let many_bytes = (5..10).map(|number| recording(number, 1, 250_000));
        let enormous = [recording(10, 2_000, 1_000), small(11)];
        let first = [small(0)].into_iter();
        let threads = desk.line_up(
            scope,
            first.chain(many_events).chain(many_bytes).chain(enormous),
        );
        desk.sign(&[Sign::Commit; 6]);
        assert!(ends(threads).iter().all(Result::is_ok));
    });
    let expected: [&[u128]; 6] = [&[0], &[1, 2], &[3, 4, 5, 6, 7], &[8, 9], &[10], &[11]];
    assert_eq!(desk.groups(), expected);
}

#[test]
fn a_group_that_fails_is_an_error_for_each_of_it_and_rings_nobody() {
    let desk = Desk::new(LONG);
    let signal = Signal::new();
    let _listening = desk.signals.listen(&signal);
    thread::scope(|scope| {
        let threads = desk.line_up(scope, (0..4).map(small));
        desk.sign(&[Sign::Fail; 2]);
        for outcome in ends(threads) {
            assert!(matches!(outcome, Err(StoreError::Invalid(torn)) if torn == "torn"));
        }
    });
    assert_eq!(signal.rings(), 0);
}

#[test]
fn a_leader_that_unwinds_strands_nobody() {
    let desk = Desk::new(LONG);
    thread::scope(|scope| {
        let mut threads = desk.line_up(scope, (0..4).map(small));
        desk.sign(&[Sign::Commit, Sign::Panic]);
        assert!(threads.remove(0).join().expect("no panic").is_ok());
        assert!(threads.remove(0).join().is_err(), "the leader panicked");
        for outcome in ends(threads) {
            let unknown = outcome.expect_err("nobody knows");
            assert!(
                matches!(unknown, StoreError::OutcomeUnknown { .. }),
                "{unknown}"
            );
        }
    });
    desk.sign(&[Sign::Commit]);
    desk.committer.record(&small(9)).expect("the next leads");
}

#[test]
fn a_save_whose_time_runs_out_in_line_is_withdrawn() {
    let desk = Desk::new(Duration::from_millis(1));
    thread::scope(|scope| {
        let threads = desk.line_up(scope, [small(0)]);
        let late = desk
            .committer
            .record(&small(1))
            .expect_err("its time runs out");
        let said = late.to_string();
        assert!(said.contains("PAPER_TIMEOUT"), "{said}");
        assert!(matches!(late, StoreError::Locked { .. }));
        desk.sign(&[Sign::Commit; 2]);
        assert!(ends(threads).iter().all(Result::is_ok));
    });
    desk.committer.record(&small(2)).expect("recorded");
    assert_eq!(desk.groups(), [[0], [2]]);
}
