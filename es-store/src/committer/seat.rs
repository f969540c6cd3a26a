//! Where threads wait until they are told something.

use std::collections::BTreeMap;
use std::time::Instant;

use super::sync::{self, Arc, Condvar, Mutex, lock};

/// What somebody who waits is told, once.
pub(super) enum Told<R> {
    /// It leads.
    Lead,
    /// Its job was done.
    Done(R),
    /// Its job was taken by a leader that was lost.
    Lost,
}

/// Where one thread waits.
pub(super) struct Seat<R> {
    bench: Arc<Bench<R>>,
    number: usize,
}

/// Where those wait who will most likely be one group, so that one call wakes them all.
struct Bench<R> {
    told: Mutex<BTreeMap<usize, Told<R>>>,
    /// The first is to lead, and is woken alone.
    first: Condvar,
    others: Condvar,
}

impl<R> Seat<R> {
    /// The first seat of a new bench.
    pub(super) fn first() -> Self {
        let bench = Bench {
            told: Mutex::new(BTreeMap::new()),
            first: Condvar::new(),
            others: Condvar::new(),
        };
        Self {
            bench: Arc::new(bench),
            number: 0,
        }
    }

    /// The seat beside this one.
    pub(super) fn next(&self) -> Self {
        Self {
            bench: self.bench.clone(),
            number: self.number + 1,
        }
    }

    /// The same seat, for those who tell.
    pub(super) fn same(&self) -> Self {
        Self {
            bench: self.bench.clone(),
            number: self.number,
        }
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.is_beside(other) && self.number == other.number
    }

    /// Whether both are on one bench.
    fn is_beside(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.bench, &other.bench)
    }

    /// What it was told; `None` if it was told nothing until `deadline`.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<Told<R>> {
        let wake = match self.number {
            0 => &self.bench.first,
            _ => &self.bench.others,
        };
        let mut told = lock(&self.bench.told);
        loop {
            if let Some(told) = told.remove(&self.number) {
                return Some(told);
            }
            let over;
            (told, over) = sync::wait(wake, told, deadline);
            if over {
                return told.remove(&self.number);
            }
        }
    }
}

/// Tells each what it is to be told, in one order.
pub(super) fn tell<R>(seats: &[Seat<R>], told: impl IntoIterator<Item = Told<R>>) {
    let mut told = told.into_iter();
    for seats in seats.chunk_by(Seat::is_beside) {
        let Some(Seat { bench, .. }) = seats.first() else {
            continue;
        };
        let numbers = seats.iter().map(|seat| seat.number);
        lock(&bench.told).extend(numbers.zip(&mut told));
        if seats.iter().any(|seat| seat.number == 0) {
            bench.first.notify_one();
        }
        if seats.iter().any(|seat| seat.number > 0) {
            bench.others.notify_all();
        }
    }
}
