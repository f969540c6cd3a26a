//! Group commit: many saves in one transaction, and no thread of its own.
//!
//! Concurrency: whoever brings a recording and finds that nobody leads, leads: it commits one group
//! with the writer, tells those whose recordings it took, passes the lead to the first that waits,
//! and returns. It lingers for nobody, so a lone thread does its work itself and pays for taking
//! and giving back the lead: twice a lock that is free. Whoever finds a leader waits in line; so a
//! group is those who came while the one before it was written and flushed.
//!
//! - *There is one leader.* The lead is a flag under the lock of the line: it is taken where it was
//!   down, and stays up when it is passed on.
//! - *Nobody is stranded.* Whoever waits in line, somebody leads, as joining the line and giving up
//!   the lead are both under its lock. A leader that unwinds passes the lead on by its guard, which
//!   first tells those that it had taken that nobody knows their outcome.
//! - *Everybody is told once, or withdrawn.* The line is left under its lock. Who was taken or
//!   given the lead was removed by another and will be told, however long that takes; who finds
//!   itself there when its time is over removes itself, and nobody knows it any more.
//! - *Nobody starves.* The line is first in, first out, and a leader that comes again stands at its
//!   end.
//!
//! Threads wait on condition variables: who joins an empty line on one of its own, as it is to
//! lead; who joins behind it on one that they share, as they will be one group and are then woken
//! by one call. Where they are not (the first has withdrawn, the group was full) some wake, find
//! nothing for them, and wait on. Members are told before the lead is passed, so that some are back
//! in line when the next leader takes its group: groups are half as large again.
//!
//! A recording is borrowed from its caller, and cannot be lent to another thread. So who waits in
//! line brings a copy, made while the leader is at work and before it locks anything; who leads at
//! once makes none. Nor is one made of a recording so large that copying it would cost more than
//! waking a thread: it waits to lead.

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
    /// Writes, in one transaction, those recordings of the group that the record accepts, and says
    /// what became of each.
    ///
    /// They are judged in order: each against the record and those that were accepted before it,
    /// each all or none.
    ///
    /// # Errors
    /// When nothing was committed, or, if it is [`StoreError::OutcomeUnknown`], nobody knows.
    fn commit(&mut self, group: &[&Recording]) -> Result<Outcomes, StoreError>;
}

/// Commits the recordings of many threads in groups.
pub(crate) struct Committer<W> {
    handoff: Handoff<Recording, Outcome>,
    writer: Mutex<W>,
    signals: Signals,
    /// The store, and how long a recording waits to be taken.
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

    /// The writer, when no group is being written. A mutex that was poisoned is taken all the same:
    /// what a panic leaves of a group, the writer has rolled back.
    pub(crate) fn writer(&self) -> MutexGuard<'_, W> {
        lock(&self.writer)
    }

    /// The writer, if nobody uses it now.
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
