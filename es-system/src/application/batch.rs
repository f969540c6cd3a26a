//! What the policies of one batch have collected, until it is recorded.
//!
//! Concurrency: while policies run, the batch is bound to the pair (application object, thread) by a guard. The
//! repository of that application, on that thread, sees the batch's own writes; every other thread sees what is
//! committed. The batch never leaves its thread, so it needs no lock.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use es_core::{Aggregate, AggregateId};
use es_store::StoredEvent;

use crate::application::cache::Saved;
use crate::error::{Error, ErrorKind};

/// The events that a batch has collected, and the aggregates as they are after them.
#[derive(Default)]
pub(crate) struct Batch {
    events: Vec<StoredEvent>,
    entries: HashMap<AggregateId, Entry>,
    /// How things were before the event in hand: to undo what it did if it fails.
    undo: Undo,
    met: Met,
}

/// What the stores that it used have answered the policy for the event in hand. It decides what becomes of a failure, so that it
/// does not matter how the policy wraps an error of this library.
#[derive(Default)]
pub(crate) struct Met {
    /// The first failure of a store.
    pub(crate) store_failure: Option<Error>,
    /// The last conflict.
    pub(crate) conflict: Option<Error>,
}

#[derive(Default)]
struct Undo {
    events: usize,
    entries: Vec<(AggregateId, Option<Entry>)>,
}

/// An aggregate that a policy of this batch has changed.
pub(crate) struct Entry {
    pub(crate) version: u64,
    /// The aggregate itself, if its state can be cloned; otherwise it is replayed.
    pub(crate) aggregate: Option<Saved>,
    /// A snapshot of it, if one was due in this batch.
    pub(crate) snapshot: Option<StoredEvent>,
}

/// What a batch records, and what is done with it after the commit.
pub(crate) struct Collected {
    /// All events, in order.
    pub(crate) events: Vec<StoredEvent>,
    /// The aggregates as they are after them, for the cache.
    pub(crate) aggregates: Vec<Saved>,
    pub(crate) snapshots: Vec<StoredEvent>,
}

impl Batch {
    /// From here on, [`undo_event`](Self::undo_event) undoes.
    pub(crate) fn begin_event(&mut self) {
        self.undo.events = self.events.len();
        self.undo.entries.clear();
    }

    /// Undoes everything since [`begin_event`](Self::begin_event).
    pub(crate) fn undo_event(&mut self) {
        self.events.truncate(self.undo.events);
        for (id, former) in self.undo.entries.drain(..).rev() {
            match former {
                Some(entry) => self.entries.insert(id, entry),
                None => self.entries.remove(&id),
            };
        }
    }

    /// What the policy for the event in hand has met, taken out.
    pub(crate) fn take_met(&mut self) -> Met {
        std::mem::take(&mut self.met)
    }

    /// Adds the new events of an aggregate, which is `entry` after them.
    pub(crate) fn add(&mut self, id: AggregateId, events: Vec<StoredEvent>, mut entry: Entry) {
        let former = self.entries.remove(&id);
        if entry.snapshot.is_none() {
            entry.snapshot = former.as_ref().and_then(|entry| entry.snapshot.clone());
        }
        self.entries.insert(id.clone(), entry);
        self.undo.entries.push((id, former));
        self.events.extend(events);
    }

    /// The aggregate as this batch has it, if it has it and its state can be cloned.
    pub(crate) fn aggregate<A: Aggregate>(&self, id: &AggregateId) -> Option<A> {
        self.entries.get(id)?.aggregate.as_ref()?.get()
    }

    /// The version that the aggregate has in this batch, if this batch has changed it.
    pub(crate) fn version_of(&self, id: &AggregateId) -> Option<u64> {
        self.entries.get(id).map(|entry| entry.version)
    }

    /// The events of one aggregate that this batch has collected.
    pub(crate) fn events_of(&self, id: &AggregateId) -> Vec<StoredEvent> {
        if !self.entries.contains_key(id) {
            return Vec::new();
        }
        self.events
            .iter()
            .filter(|event| event.originator_id == *id)
            .cloned()
            .collect()
    }

    /// All that this batch has collected.
    pub(crate) fn into_collected(self) -> Collected {
        let (mut aggregates, mut snapshots) = (Vec::new(), Vec::new());
        for entry in self.entries.into_values() {
            aggregates.extend(entry.aggregate);
            snapshots.extend(entry.snapshot);
        }
        Collected {
            events: self.events,
            aggregates,
            snapshots,
        }
    }
}

thread_local! {
    /// The batches whose policies run on this thread. More than one only if a policy drives another
    /// system.
    static BOUND: RefCell<Vec<(u64, Rc<RefCell<Batch>>)>> = const { RefCell::new(Vec::new()) };
}

/// The batch whose policies run on this thread for this application object.
pub(crate) fn of(instance: u64) -> Option<Rc<RefCell<Batch>>> {
    BOUND.with_borrow(|bound| {
        bound
            .iter()
            .rev()
            .find(|(owner, _)| *owner == instance)
            .map(|(_, batch)| batch.clone())
    })
}

/// Notes, if a policy runs on this thread, what a store has answered it that it used: its own application's or another's.
pub(crate) fn note(error: &Error) {
    let is_conflict = error.kind() == ErrorKind::Conflict;
    if !is_conflict && !error.is_of_store() {
        return;
    }
    let Some(batch) = BOUND.with_borrow(|bound| bound.last().map(|(_, batch)| batch.clone()))
    else {
        return;
    };
    let met = &mut batch.borrow_mut().met;
    if is_conflict {
        met.conflict = Some(error.clone());
    } else {
        met.store_failure.get_or_insert_with(|| error.clone());
    }
}

/// Unbinds the batch when it is dropped, also when a policy panics.
pub(crate) struct Bound(());

/// Binds the batch to this thread and to this application object.
pub(crate) fn bind(instance: u64, batch: &Rc<RefCell<Batch>>) -> Bound {
    BOUND.with_borrow_mut(|bound| bound.push((instance, batch.clone())));
    Bound(())
}

impl Drop for Bound {
    fn drop(&mut self) {
        BOUND.with_borrow_mut(|bound| bound.pop());
    }
}
