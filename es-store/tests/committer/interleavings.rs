//! The hand-off, run by a scheduler that tries many interleavings and reports a thread that is
//! never woken.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use shuttle::sync::{Arc, Mutex};
use shuttle::thread;

use super::handoff::{Handoff, Lead, Turn, Weight};

const FOR_EVER: Duration = Duration::MAX;
const A_WHILE: Duration = Duration::from_secs(1);
const ITERATIONS: usize = 2_000;

type Numbers = Handoff<usize, usize>;

/// A store of numbers, with the thread that is writing to it.
struct Store {
    handoff: Numbers,
    leaders: AtomicUsize,
    log: Mutex<Vec<usize>>,
}

impl Store {
    fn new(events: usize) -> Arc<Self> {
        let bytes = 100;
        Arc::new(Self {
            handoff: Handoff::new(Weight { events, bytes }),
            leaders: AtomicUsize::new(0),
            log: Mutex::new(Vec::new()),
        })
    }

    /// Writes `own` and what was taken; the results are twice the numbers.
    fn lead(&self, lead: Lead<'_, usize, usize>, own: usize) -> usize {
        assert_eq!(self.leaders.fetch_add(1, Ordering::SeqCst), 0, "two lead");
        thread::yield_now();
        let group: Vec<_> = std::iter::once(own)
            .chain(lead.jobs().iter().copied())
            .collect();
        self.log.lock().expect("no panic").extend(&group);
        self.leaders.fetch_sub(1, Ordering::SeqCst);
        lead.finish(group.iter().skip(1).map(|number| 2 * number).collect());
        2 * own
    }

    /// Saves one number. Returns `None` if the save was withdrawn.
    fn save(&self, number: usize, copied: bool, patience: Duration) -> Option<usize> {
        let job = || copied.then_some(number);
        match self.handoff.join(weight(), job, patience) {
            Turn::Lead(lead) => Some(self.lead(lead, number)),
            Turn::Done(result) => Some(result),
            Turn::Withdrawn => None,
            Turn::Lost => panic!("lost"),
        }
    }

    /// Returns the written numbers, in ascending order. Nobody may be left in the queue or be a
    /// leader.
    fn end(&self) -> Vec<usize> {
        let mut log = self.log.lock().expect("no panic").clone();
        log.sort_unstable();
        assert_eq!(self.handoff.waiting(), 0);
        assert_eq!(self.save(9, true, FOR_EVER), Some(18));
        log
    }
}

fn weight() -> Weight {
    let (events, bytes) = (1, 1);
    Weight { events, bytes }
}

fn race<T: Send + 'static>(
    count: usize,
    run: impl Fn(usize) -> T + Send + Sync + 'static,
) -> Vec<T> {
    let run = Arc::new(run);
    let threads = (0..count).map(|number| {
        let run = run.clone();
        thread::spawn(move || run(number))
    });
    let threads: Vec<_> = threads.collect();
    let ends = threads
        .into_iter()
        .map(|thread| thread.join().expect("no panic"));
    ends.collect()
}

#[test]
fn every_save_is_done_once_by_one_leader_at_a_time() {
    let rounds = || {
        let store = Store::new(2);
        let saver = store.clone();
        race(4, move |number| {
            for number in [number, number + 10] {
                let saved = saver.save(number, number != 2, FOR_EVER);
                assert_eq!(saved, Some(2 * number));
            }
        });
        assert_eq!(store.end(), [0, 1, 2, 3, 10, 11, 12, 13]);
    };
    shuttle::check_random(rounds, ITERATIONS);
    shuttle::check_pct(rounds, ITERATIONS, 3);
}

#[test]
fn a_withdrawn_save_was_not_done_and_every_other_was() {
    let rounds = || {
        let store = Store::new(3);
        let saver = store.clone();
        let saved = race(4, move |number| saver.save(number, true, A_WHILE));
        let done: Vec<_> = (0..4).filter(|number| saved[*number].is_some()).collect();
        assert_eq!(store.end(), done);
    };
    shuttle::check_random(rounds, ITERATIONS);
    shuttle::check_pct(rounds, ITERATIONS, 3);
}

/// Unwinds as a leader, and returns the number of saves that it had taken.
fn unwind(lead: Lead<'_, usize, usize>) -> usize {
    let taken = lead.jobs().len();
    let unwinding = catch_unwind(AssertUnwindSafe(|| {
        let _lead = lead;
        std::panic::resume_unwind(Box::new("in the middle"));
    }));
    assert!(unwinding.is_err());
    taken
}

#[test]
fn a_leader_that_unwinds_tells_those_it_took_and_strands_nobody() {
    let rounds = || {
        let store = Store::new(3);
        let saver = store.clone();
        let (unwound, lost) = (AtomicBool::new(false), Arc::new(AtomicUsize::new(0)));
        let losses = lost.clone();
        let taken = race(4, move |number| {
            match saver.handoff.join(weight(), || Some(number), A_WHILE) {
                Turn::Lead(lead) if !unwound.swap(true, Ordering::SeqCst) => return unwind(lead),
                Turn::Lead(lead) => assert_eq!(saver.lead(lead, number), 2 * number),
                Turn::Lost => drop(losses.fetch_add(1, Ordering::SeqCst)),
                Turn::Done(result) => assert_eq!(result, 2 * number),
                Turn::Withdrawn => {}
            }
            0
        });
        let taken: usize = taken.into_iter().sum();
        assert_eq!(lost.load(Ordering::SeqCst), taken);
        store.end();
    };
    shuttle::check_random(rounds, ITERATIONS);
    shuttle::check_pct(rounds, ITERATIONS, 3);
}
