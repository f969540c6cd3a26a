//! Group commit: many saves in one transaction, and no thread of its own.
//!
//! Concurrency: whoever brings a recording and finds that nobody leads, leads: it commits one group with the writer, passes
//! the lead to the first that waits, and returns. It lingers for nobody, so a lone thread does its work itself, and pays
//! for taking and giving back the lead: twice an uncontended lock. Whoever finds a leader waits in line, on a condition variable of its own; the
//! groups are thus made of those who came while the group before them was written and flushed.
//!
//! - *There is one leader.* The lead is a flag under the lock of the line: it is taken where it was down, and stays
//!   up when it is passed on. So the writer's own lock is contended by nobody but those who read through it.
//! - *Nobody is stranded.* Whoever waits in line, somebody leads, as joining the line and giving up the lead are both
//!   under its lock. A leader that unwinds passes the lead on by its guard, which also tells those that it had taken
//!   that nobody knows their outcome.
//! - *Everybody is told once.* Leaving the line is under its lock: who was taken, or was given the lead, was removed from it and will be told;
//!   who finds itself there when its time is over removes itself and will not. Who does not waits for what it
//!   is told, however long it takes.
//! - *Nobody starves.* The line is first in, first out, and a leader that comes again stands at its end.
//!
//! A recording is borrowed from its caller, and another thread cannot be lent it. So who joins the line brings a
//! copy, made before it locks anything, while the leader is at work; who leads at once makes none. A recording that is so
//! large that copying would cost more than waking a thread is not copied: it waits to lead.

mod handoff;
mod sync;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::handoff::{Handoff, Lead, Turn, Weight};
use crate::{Recorded, Recording, Signals, StoreError};

/// How much one group has at the most, but for a recording that has more by itself.
const GROUP: Weight = Weight {
    events: 1000,
    bytes: 1_000_000,
};

/// Up to which size a recording is copied to be written by another thread.
const COPIED: Weight = Weight {
    events: 500,
    bytes: 250_000,
};

type Outcome = Result<Recorded, StoreError>;

/// Writes groups of recordings.
pub(crate) trait GroupWriter: Send {
    /// Writes, in one transaction, those recordings of the group that the record accepts, and says what became of each.
    ///
    /// They are judged in order: each against the record and those that were accepted before it, each all or none.
    ///
    /// # Errors
    /// When nothing was committed, or, if it is [`StoreError::OutcomeUnknown`], nobody knows.
    fn commit(&mut self, group: &[&Recording]) -> Result<Vec<Outcome>, StoreError>;
}

/// How long a recording waits to be taken, and how that is called when it was too long.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    /// The store.
    pub(crate) store: String,
    /// The limit.
    pub(crate) limit: Duration,
    /// The environment key that sets the limit.
    pub(crate) key: &'static str,
}

/// Commits the recordings of many threads in groups.
pub(crate) struct Committer<W> {
    handoff: Handoff<Recording, Outcome>,
    writer: Mutex<W>,
    signals: Signals,
    patience: Patience,
}

impl<W> Committer<W> {
    /// A committer that rings `signals` after each group that recorded events.
    pub(crate) fn new(writer: W, signals: Signals, patience: Patience) -> Self {
        Self {
            handoff: Handoff::new(GROUP),
            writer: Mutex::new(writer),
            signals,
            patience,
        }
    }

    /// The writer, when no group is being written. A mutex that was poisoned is taken all the same: what a panic leaves of a
    /// group, the writer has rolled back.
    pub(crate) fn writer(&self) -> MutexGuard<'_, W> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: GroupWriter> Committer<W> {
    /// Records all of `recording` or nothing of it, in a transaction that it may share with others.
    pub(crate) fn record(&self, recording: &Recording) -> Outcome {
        let weight = weigh(recording);
        let copy = || weight.fits(COPIED).then(|| recording.clone());
        match self.handoff.join(weight, copy, self.patience.limit) {
            Turn::Lead(lead) => self.lead(lead, recording),
            Turn::Done(outcome) => outcome,
            Turn::Lost => Err(self.lost()),
            Turn::Withdrawn => Err(self.withdrawn()),
        }
    }

    fn lead(&self, lead: Lead<'_, Recording, Outcome>, own: &Recording) -> Outcome {
        let group: Vec<_> = std::iter::once(own).chain(lead.jobs()).collect();
        let committed = self.writer().commit(&group);
        let outcomes = committed.unwrap_or_else(|error| vec![Err(error); group.len()]);
        // Before anybody is told, so that whoever has recorded has also rung.
        let recorded = |outcome: &Outcome| {
            outcome
                .as_ref()
                .is_ok_and(|recorded| !recorded.positions.is_empty())
        };
        if outcomes.iter().any(recorded) {
            self.signals.ring();
        }
        let mut outcomes = outcomes.into_iter();
        let own = outcomes.next();
        lead.finish(outcomes);
        own.unwrap_or_else(|| Err(self.lost()))
    }

    fn lost(&self) -> StoreError {
        StoreError::OutcomeUnknown {
            store: self.patience.store.clone(),
            problem: "the thread that was writing it, with others, panicked".to_owned(),
        }
    }

    fn withdrawn(&self) -> StoreError {
        let Patience { store, limit, key } = self.patience.clone();
        StoreError::Locked { store, limit, key }
    }
}

/// A recording of nothing but tracking weighs something too, so that a group of them ends.
fn weigh(recording: &Recording) -> Weight {
    let bytes = |event: &crate::StoredEvent| event.state.len() + event.topic.len();
    Weight {
        events: recording.events.len().max(1),
        bytes: recording.events.iter().map(bytes).sum(),
    }
}
