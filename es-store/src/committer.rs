//! Group commit: many saves in one transaction, without a thread of its own.
//!
//! Concurrency: a thread that brings a recording while nobody leads becomes the leader. The leader
//! commits one group with the writer, delivers the outcomes to the threads whose recordings it
//! took, passes the lead to the first waiting thread, and returns. It does not wait for others to
//! join. So a lone thread does its own work, and pays only for taking and releasing the lead, which
//! locks a free mutex twice. A thread that finds a leader waits in line. So a group consists of the
//! recordings that arrived while the group before it was written and flushed.
//!
//! - *There is one leader.* The lead is a flag under the lock of the line. A thread takes it only
//!   when it is down, and it stays up when the lead is passed on.
//! - *Nobody is stranded.* While a thread waits in line, another one leads, because joining the
//!   line and giving up the lead both happen under the lock. A leader that unwinds passes the lead
//!   on through its guard. Before that the guard tells the threads whose recordings were taken that
//!   their outcome is unknown.
//! - *Each thread gets one outcome, or withdraws.* Threads leave the line under its lock. A thread
//!   that was taken or given the lead was removed by another thread and will get its outcome,
//!   however long that takes. A thread whose time is over and that is still in the line removes
//!   itself, and then nobody knows it any more.
//! - *Nobody starves.* The line is first in, first out, and a leader that comes back joins at its
//!   end.
//!
//! Threads wait on condition variables. A thread that joins an empty line waits on one of its own,
//! because it will lead. Threads behind it share another one, because they will probably be one
//! group, which one call then wakes. If they are not one group (the first has withdrawn, or the
//! group was full), some of them wake without a reason and wait on. Outcomes are delivered before
//! the lead is passed, so that some threads are back in line when the next leader takes its group:
//! this makes groups half as large again.
//!
//! A recording is borrowed from its caller, and cannot be lent to another thread. So a thread that
//! waits in line brings a copy. The copy is made while the leader works, and outside of all locks.
//! A thread that leads at once makes no copy. Nor does one whose recording is so large that copying
//! it would cost more than waking a thread: it waits until it leads.

mod handoff;
mod sync;
#[cfg(test)]
mod tests;
mod wait_slot;

#[cfg(feature = "sqlite")]
use std::sync::TryLockError;
use std::sync::{Mutex, MutexGuard};

use self::handoff::{Handoff, Lead, Turn, Weight};
use crate::commits::{CommitCounters, Commits};
use crate::error::StoreError;
use crate::recording::{Recorded, Recording};
use crate::signal::Signals;
use crate::sql::label::Label;
use crate::stored_event::StoredEvent;
use crate::sync::lock;

/// The limit of a group. A single recording above the limit is a group of its own.
const GROUP: Weight = Weight {
    events: 1000,
    bytes: 1_000_000,
};

/// The size up to which a recording is copied to be written by another thread.
const COPIED: Weight = Weight {
    events: 500,
    bytes: 250_000,
};

/// The outcome of one recording.
type Outcome = Result<Recorded, StoreError>;

/// The outcome of each recording of a group.
pub(crate) type Outcomes = Vec<Outcome>;

/// Writes groups of recordings.
pub(crate) trait GroupWriter: Send {
    /// Writes the acceptable recordings of the group in one transaction. Returns the outcome of
    /// each.
    ///
    /// Recordings are checked in order. Each is checked against the store and those accepted before
    /// it, and is written as a whole or not at all.
    ///
    /// # Errors
    /// Fails when nothing was committed; with [`StoreError::OutcomeUnknown`], when that is not
    /// known.
    fn commit(&mut self, group: &[&Recording]) -> Result<Outcomes, StoreError>;
}

/// Commits the recordings of many threads in groups.
pub(crate) struct Committer<W> {
    handoff: Handoff<Recording, Outcome>,
    writer: Mutex<W>,
    signals: Signals,
    counters: CommitCounters,
    /// The name of the store, and the limit for waiting in line.
    queue: Label,
}

impl<W> Committer<W> {
    /// Creates a committer that rings `signals` after each group that recorded events.
    pub(crate) fn new(writer: W, signals: Signals, queue: Label) -> Self {
        Self {
            handoff: Handoff::new(GROUP),
            writer: Mutex::new(writer),
            signals,
            counters: CommitCounters::default(),
            queue,
        }
    }

    /// Returns the writer, once no group is being written. A poisoned mutex is taken all the same,
    /// because the writer has rolled back what a panic left of a group.
    pub(crate) fn writer(&self) -> MutexGuard<'_, W> {
        lock(&self.writer)
    }

    /// Returns the numbers of its commits.
    pub(crate) fn commits(&self) -> Commits {
        self.counters.get()
    }

    /// Returns the writer, if nobody uses it now.
    #[cfg(feature = "sqlite")]
    pub(crate) fn idle_writer(&self) -> Option<MutexGuard<'_, W>> {
        match self.writer.try_lock() {
            Ok(writer) => Some(writer),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl<W: GroupWriter> Committer<W> {
    /// Records all of `recording` or nothing of it, in a transaction that it may share with others.
    pub(crate) fn record(&self, recording: &Recording) -> Outcome {
        let weight = weigh(recording);
        let copy = || weight.fits(COPIED).then(|| recording.clone());
        match self.handoff.join(weight, copy, self.queue.lock_timeout()) {
            Turn::Lead(lead) => self.lead(lead, recording),
            Turn::Done(outcome) => outcome,
            Turn::Lost => Err(self.lost()),
            Turn::Withdrawn => Err(self.withdrawn()),
        }
    }

    #[cfg(feature = "sqlite")]
    /// Does the same in a transaction of its own, without a line. This is for a store that flushes
    /// nothing, where waking a thread costs more than writing.
    pub(crate) fn record_alone(&self, recording: &Recording) -> Outcome {
        let outcome = self.commit(&[recording]).next();
        outcome.unwrap_or_else(|| Err(self.lost()))
    }

    fn lead(&self, lead: Lead<'_, Recording, Outcome>, own: &Recording) -> Outcome {
        let group: Vec<_> = std::iter::once(own).chain(lead.jobs()).collect();
        let mut outcomes = self.commit(&group);
        let own = outcomes.next();
        lead.finish(outcomes.collect());
        own.unwrap_or_else(|| Err(self.lost()))
    }

    /// Commits a group. Signals ring before outcomes are delivered, so that they have rung when
    /// `record` returns.
    fn commit(&self, group: &[&Recording]) -> impl Iterator<Item = Outcome> + use<W> {
        let committed = self.writer().commit(group);
        let outcomes = committed.unwrap_or_else(|error| vec![Err(error); group.len()]);
        self.counters.count(outcomes.iter().flatten().count());
        let has_events = |recorded: &Recorded| !recorded.positions.is_empty();
        if outcomes.iter().flatten().any(has_events) {
            self.signals.ring();
        }
        outcomes.into_iter()
    }

    fn lost(&self) -> StoreError {
        self.queue.outcome_unknown(LeaderLost)
    }

    fn withdrawn(&self) -> StoreError {
        self.queue.locked("saves of this process that came before")
    }
}

/// The error of a recording whose leader panicked while it wrote the group.
#[derive(Debug, thiserror::Error)]
#[error("the thread that was writing it, with others, panicked")]
struct LeaderLost;

/// Returns the weight of a recording. Tracking weighs something too, so that a group of moves alone
/// has a limit.
fn weigh(recording: &Recording) -> Weight {
    let bytes = |event: &StoredEvent| event.state.len() + event.topic.len();
    Weight {
        events: recording.events.len().max(1),
        bytes: recording.events.iter().map(bytes).sum(),
    }
}
