//! The hand-off of the lead: which thread leads, which threads wait, and when the lead is passed
//! on. It does not know what the jobs are.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::sync::{Mutex, MutexGuard, lock};
use super::wait_slot::{self, WaitSlot, WakeReason};

/// The weight of a job, or the limit for a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

impl Weight {
    /// Returns true if this is at most `limit`.
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
    /// The limit of a group. A single job may weigh more.
    limit: Weight,
    line: Mutex<Line<J, R>>,
}

/// The waiting threads. While any thread waits, another one leads.
struct Line<J, R> {
    led: bool,
    waiting: VecDeque<Waiting<J, R>>,
}

struct Waiting<J, R> {
    /// The job, if a leader may take it. Without one, its owner waits until it leads.
    job: Option<J>,
    weight: Weight,
    slot: WaitSlot<R>,
}

/// The result of joining, for a thread that brought a job.
pub(super) enum Turn<'a, J, R> {
    /// The thread leads: it does its own job and the jobs that it took.
    Lead(Lead<'a, J, R>),
    /// A leader did the job.
    Done(R),
    /// A leader took the job, and unwound before it delivered a result.
    Lost,
    /// No leader took the job in time, and none will.
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

    /// Leads if nobody does. Otherwise waits in line with `job()`, for at most `timeout` until the
    /// job is taken.
    pub(super) fn join(
        &self,
        weight: Weight,
        job: impl FnOnce() -> Option<J>,
        timeout: Duration,
    ) -> Turn<'_, J, R> {
        if self.line().begin() {
            return Turn::Lead(self.lead());
        }
        // The job is made while another thread leads, and outside of the lock.
        let job = job();
        let mut line = self.line();
        if line.begin() {
            drop(line);
            return Turn::Lead(self.lead());
        }
        let slot = line.wait_slot(job, weight);
        drop(line);
        self.wait(&slot, weight, Instant::now().checked_add(timeout))
    }

    fn wait(
        &self,
        slot: &WaitSlot<R>,
        weight: Weight,
        deadline: Option<Instant>,
    ) -> Turn<'_, J, R> {
        let outcome = slot.wait(deadline).or_else(|| {
            let withdrawn = self.withdraw(slot);
            // A leader has taken the job, and will deliver.
            if withdrawn { None } else { slot.wait(None) }
        });
        match outcome {
            Some(WakeReason::Lead) => {
                let mut lead = self.lead();
                lead.take(weight);
                Turn::Lead(lead)
            }
            Some(WakeReason::Done(result)) => Turn::Done(result),
            Some(WakeReason::Lost) => Turn::Lost,
            None => Turn::Withdrawn,
        }
    }

    /// Leaves the line. Returns true if the thread was still in it.
    fn withdraw(&self, slot: &WaitSlot<R>) -> bool {
        let mut line = self.line();
        let found = line.waiting.iter().position(|other| other.slot.is(slot));
        found.and_then(|at| line.waiting.remove(at)).is_some()
    }

    fn lead(&self) -> Lead<'_, J, R> {
        Lead {
            handoff: self,
            jobs: Vec::new(),
            slots: Vec::new(),
        }
    }

    /// Gives the lead to the first waiting thread.
    fn pass(&self) {
        let next = self.line().end();
        if let Some(Waiting { slot, .. }) = next {
            wait_slot::deliver(&[slot], [WakeReason::Lead]);
        }
    }

    /// Returns the number of threads in line.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.line().waiting.len()
    }

    fn line(&self) -> MutexGuard<'_, Line<J, R>> {
        lock(&self.line)
    }
}

impl<J, R> Line<J, R> {
    /// Takes the lead if there is no leader.
    fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.led, true)
    }

    /// Joins the line. Returns the slot to wait in.
    fn wait_slot(&mut self, job: Option<J>, weight: Weight) -> WaitSlot<R> {
        let last = self.waiting.back();
        let slot = last.map_or_else(WaitSlot::first, |last| last.slot.next());
        self.waiting.push_back(Waiting {
            job,
            weight,
            slot: slot.same(),
        });
        slot
    }

    /// Gives up the lead. Returns the thread that gets it next, if one waits.
    fn end(&mut self) -> Option<Waiting<J, R>> {
        let next = self.waiting.pop_front();
        self.led = next.is_some();
        next
    }
}

/// The lead. When it is dropped, it is passed on, and owners of jobs without a result learn that
/// their leader was lost.
pub(super) struct Lead<'a, J, R> {
    handoff: &'a Handoff<J, R>,
    jobs: Vec<J>,
    /// The slots in which the owners of these jobs wait.
    slots: Vec<WaitSlot<R>>,
}

impl<J, R> Lead<'_, J, R> {
    /// Returns the jobs that were taken, in the order of the line.
    pub(super) fn jobs(&self) -> &[J] {
        &self.jobs
    }

    /// Delivers the results of the jobs that were taken, in their order, and passes the lead on.
    pub(super) fn finish(mut self, results: Vec<R>) {
        self.deliver(results);
    }

    fn deliver(&mut self, results: Vec<R>) {
        let done = results.into_iter().map(WakeReason::Done);
        let outcomes = done.chain(std::iter::repeat_with(|| WakeReason::Lost));
        wait_slot::deliver(&std::mem::take(&mut self.slots), outcomes);
    }

    /// Takes jobs from the line, in its order, as far as they fit in a group with the leader's own
    /// job.
    fn take(&mut self, own: Weight) {
        let mut line = self.handoff.line();
        let mut weight = own;
        while let Some(next) = line.waiting.front() {
            weight = weight.plus(next.weight);
            if next.job.is_none() || !weight.fits(self.handoff.limit) {
                break;
            }
            if let Some(Waiting { job, slot, .. }) = line.waiting.pop_front() {
                self.jobs.extend(job);
                self.slots.push(slot);
            }
        }
    }
}

impl<J, R> Drop for Lead<'_, J, R> {
    fn drop(&mut self) {
        // Results are delivered before the lead is passed, so that threads that come back at once
        // join the next group.
        self.deliver(Vec::new());
        self.handoff.pass();
    }
}
