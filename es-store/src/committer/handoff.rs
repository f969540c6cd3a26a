//! Who leads, who waits, and how the lead is passed on; what the jobs are is all the same here.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::seat::{self, Seat, Told};
use super::sync::{Mutex, MutexGuard, lock};

/// How much a job weighs, or how much a group may.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

impl Weight {
    /// Whether this is not more than `limit`.
    pub(super) fn fits(self, limit: Self) -> bool {
        self.events <= limit.events && self.bytes <= limit.bytes
    }

    fn plus(self, other: Self) -> Self {
        Self {
            events: self.events.saturating_add(other.events),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

/// Passes the lead among threads that bring jobs `J` and wait for results `R`.
pub(super) struct Handoff<J, R> {
    /// How much a group may weigh. A single job may weigh more.
    limit: Weight,
    line: Mutex<Line<J, R>>,
}

/// Whoever waits in it, somebody leads.
struct Line<J, R> {
    led: bool,
    waiting: VecDeque<Waiting<J, R>>,
}

struct Waiting<J, R> {
    /// What a leader may take and do; without it, its owner waits for the lead alone.
    job: Option<J>,
    weight: Weight,
    seat: Seat<R>,
}

/// What became of somebody who brought a job.
pub(super) enum Turn<'a, J, R> {
    /// It leads: it does its own job and those that it has taken.
    Lead(Lead<'a, J, R>),
    /// A leader did the job.
    Done(R),
    /// A leader took the job, and was lost without a word.
    Lost,
    /// Nobody took the job in time, and nobody will.
    Withdrawn,
}

impl<J, R> Handoff<J, R> {
    pub(super) fn new(limit: Weight) -> Self {
        let (led, waiting) = (false, VecDeque::new());
        Self {
            limit,
            line: Mutex::new(Line { led, waiting }),
        }
    }

    /// Leads if nobody does. Otherwise waits in line with `job()`, for as long as `patience` until it is taken.
    pub(super) fn join(
        &self,
        weight: Weight,
        job: impl FnOnce() -> Option<J>,
        patience: Duration,
    ) -> Turn<'_, J, R> {
        if self.line().begin() {
            return Turn::Lead(self.lead());
        }
        // The job is made while another leads, and not under the lock.
        let job = job();
        let mut line = self.line();
        if line.begin() {
            drop(line);
            return Turn::Lead(self.lead());
        }
        let seat = line.sit(job, weight);
        drop(line);
        self.wait(&seat, weight, Instant::now().checked_add(patience))
    }

    fn wait(&self, seat: &Seat<R>, weight: Weight, deadline: Option<Instant>) -> Turn<'_, J, R> {
        let told = seat.wait(deadline).or_else(|| {
            let withdrawn = self.withdraw(seat);
            // Somebody has taken it, and will tell.
            if withdrawn { None } else { seat.wait(None) }
        });
        match told {
            Some(Told::Lead) => {
                let mut lead = self.lead();
                lead.take(weight);
                Turn::Lead(lead)
            }
            Some(Told::Done(result)) => Turn::Done(result),
            Some(Told::Lost) => Turn::Lost,
            None => Turn::Withdrawn,
        }
    }

    /// Whether it was still in line; it is no more.
    fn withdraw(&self, seat: &Seat<R>) -> bool {
        let mut line = self.line();
        let found = line.waiting.iter().position(|other| other.seat.is(seat));
        found.and_then(|at| line.waiting.remove(at)).is_some()
    }

    fn lead(&self) -> Lead<'_, J, R> {
        Lead {
            handoff: self,
            jobs: Vec::new(),
            seats: Vec::new(),
        }
    }

    /// Gives the lead to the first that waits.
    fn pass(&self) {
        let next = self.line().end();
        if let Some(Waiting { seat, .. }) = next {
            seat::tell(&[seat], [Told::Lead]);
        }
    }

    /// How many wait in line.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.line().waiting.len()
    }

    fn line(&self) -> MutexGuard<'_, Line<J, R>> {
        lock(&self.line)
    }
}

impl<J, R> Line<J, R> {
    /// Takes the lead if nobody has it.
    fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.led, true)
    }

    /// Where somebody is to wait who joins the line.
    fn sit(&mut self, job: Option<J>, weight: Weight) -> Seat<R> {
        let last = self.waiting.back();
        let seat = last.map_or_else(Seat::first, |last| last.seat.next());
        self.waiting.push_back(Waiting {
            job,
            weight,
            seat: seat.same(),
        });
        seat
    }

    /// Gives the lead up; who is to have it.
    fn end(&mut self) -> Option<Waiting<J, R>> {
        let next = self.waiting.pop_front();
        self.led = next.is_some();
        next
    }
}

/// The lead. Dropped, it is passed on, and those who were taken and not told what became of them learn that.
pub(super) struct Lead<'a, J, R> {
    handoff: &'a Handoff<J, R>,
    jobs: Vec<J>,
    /// Of those whose jobs these are.
    seats: Vec<Seat<R>>,
}

impl<J, R> Lead<'_, J, R> {
    /// The jobs that were taken, in the order of the line.
    pub(super) fn jobs(&self) -> &[J] {
        &self.jobs
    }

    /// Tells those who were taken their results, in the same order, and passes the lead on.
    pub(super) fn finish(mut self, results: Vec<R>) {
        self.tell(results);
    }

    fn tell(&mut self, results: Vec<R>) {
        let done = results.into_iter().map(Told::Done);
        let told = done.chain(std::iter::repeat_with(|| Told::Lost));
        seat::tell(&std::mem::take(&mut self.seats), told);
    }

    /// Takes from the line, in its order, what fits in a group with the leader's own job.
    fn take(&mut self, own: Weight) {
        let mut line = self.handoff.line();
        let mut weight = own;
        while let Some(next) = line.waiting.front() {
            weight = weight.plus(next.weight);
            if next.job.is_none() || !weight.fits(self.handoff.limit) {
                break;
            }
            if let Some(Waiting { job, seat, .. }) = line.waiting.pop_front() {
                self.jobs.extend(job);
                self.seats.push(seat);
            }
        }
    }
}

impl<J, R> Drop for Lead<'_, J, R> {
    fn drop(&mut self) {
        // Before the lead is passed: those who come again at once join the next group.
        self.tell(Vec::new());
        self.handoff.pass();
    }
}
