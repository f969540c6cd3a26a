//! Group commit: one transaction for the saves of many threads, without a thread of its own.
//!
//! Concurrency: a thread that brings a recording and finds no leader becomes the leader. It commits
//! one group with the writer, gives the threads whose recordings it took their outcomes, passes the
//! lead to the first thread that waits, and returns. It does not wait for more recordings, so a
//! lone thread does its own work and pays only for taking and giving back the lead: it takes a free
//! lock twice. A thread that finds a leader waits in line. So a group consists of the recordings
//! that came while the group before it was written and flushed.
//!
//! - *There is one leader.* The lead is a flag under the lock of the line. It is taken only when it
//!   is down, and stays up when it is passed on.
//! - *No thread is stranded.* While a thread waits in line there is a leader, because joining the
//!   line and giving up the lead both happen under the lock of the line. If a leader unwinds, a
//!   guard passes the lead on, and first tells the threads whose recordings it had taken that their
//!   outcome is unknown.
//! - *Each thread gets one outcome, or withdraws.* A thread leaves the line under its lock. If its
//!   recording was taken, or it was given the lead, another thread has removed it and will tell it,
//!   however long that takes. If it is still in line when its time is over, it removes itself.
//! - *No thread starves.* The line is first in, first out, and a leader that comes again joins at
//!   its end.
//!
//! Threads wait on condition variables. The thread that joins an empty line waits on its own, as it
//! will lead next. The threads that join after it share one, as they will be one group and can be
//! woken by one call. If they are not one group (the first has withdrawn, or the group was full),
//! some of them wake, find nothing, and wait on. The members of a group are told before the lead is
//! passed, so that some are back in line when the next leader takes its group: this makes groups
//! half as large again.
//!
//! A recording is borrowed from its caller and cannot be lent to another thread. So a thread that
//! waits in line brings a copy, which it makes while the leader works and before it locks anything.
//! A thread that leads at once makes none. No copy is made of a recording so large that copying it
//! would cost more than waking a thread: its thread waits until it leads.

mod handoff;
mod sync;
#[cfg(test)]
mod tests;
mod wait_slot;

#[cfg(feature = "sqlite")]
use std::sync::TryLockError;
use std::sync::{Mutex, MutexGuard};

use self::handoff::{Handoff, Lead, Turn, Weight};
use crate::error::StoreError;
use crate::recording::{Recorded, Recording};
use crate::signal::Signals;
use crate::sql::label::Label;
use crate::stored_event::StoredEvent;
use crate::sync::lock;

/// The limit of a group. A recording that has more by itself is a group of its own.
const GROUP: Weight = Weight {
    events: 1000,
    bytes: 1_000_000,
};

/// Up to which size a recording is copied to be written by another thread.
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
    /// Writes, in one transaction, those recordings of the group that the record accepts. Returns
    /// the outcome of each.
    ///
    /// They are judged in order, each against the record and the recordings that were accepted
    /// before it. Each is written whole or not at all.
    ///
    /// # Errors
    /// Fails when nothing was committed. After [`StoreError::OutcomeUnknown`] it may have been.
    fn commit(&mut self, group: &[&Recording]) -> Result<Outcomes, StoreError>;
}

/// Commits the recordings of many threads in groups.
pub(crate) struct Committer<W> {
    handoff: Handoff<Recording, Outcome>,
    writer: Mutex<W>,
    signals: Signals,
    /// The store, and the time that a recording waits to be taken.
    queue: Label,
}

impl<W> Committer<W> {
    /// A committer that rings `signals` after each group that recorded events.
    pub(crate) fn new(writer: W, signals: Signals, queue: Label) -> Self {
        Self {
            handoff: Handoff::new(GROUP),
            writer: Mutex::new(writer),
            signals,
            queue,
        }
    }

    /// The writer, once no group is being written. A poisoned mutex is taken, too: the writer has
    /// rolled back what a panic left of a group.
    pub(crate) fn writer(&self) -> MutexGuard<'_, W> {
        lock(&self.writer)
    }

    /// The writer, if no thread uses it now.
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
    /// The same in a transaction of its own, without a line: for a store that flushes nothing,
    /// where waking a thread costs more than writing does.
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

    /// Rings before anybody is told, so that whoever has recorded has also rung.
    fn commit(&self, group: &[&Recording]) -> impl Iterator<Item = Outcome> + use<W> {
        let committed = self.writer().commit(group);
        let outcomes = committed.unwrap_or_else(|error| vec![Err(error); group.len()]);
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

/// The thread that was writing a recording, among others, has panicked.
#[derive(Debug, thiserror::Error)]
#[error("the thread that was writing it, with others, panicked")]
struct LeaderLost;

/// A recording of nothing but tracking weighs something too, so that a group of them ends.
fn weigh(recording: &Recording) -> Weight {
    let bytes = |event: &StoredEvent| event.state.len() + event.topic.len();
    Weight {
        events: recording.events.len().max(1),
        bytes: recording.events.iter().map(bytes).sum(),
    }
}
