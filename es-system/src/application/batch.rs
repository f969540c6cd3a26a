//! The events that the policies of one batch have collected and that are not recorded yet.
//!
//! Concurrency: while policies run, a guard binds the batch to the pair (application object,
//! thread). On that thread, the repository of that application sees the batch's own writes; every
//! other thread sees committed events only. The batch never leaves its thread, so it needs no lock.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use es_core::{Aggregate, AggregateId};
use es_store::StoredEvent;

use crate::application::cache::CachedAggregate;
use crate::application::store_errors::{self, Notes, NotesBinding, StoreErrors};

/// The events that a batch has collected, and the aggregates in the state after them.
#[derive(Default)]
pub(crate) struct Batch {
    events: Vec<StoredEvent>,
    /// The bytes of the states of the collected events and snapshots, and of the events that were
    /// loaded meanwhile.
    bytes: usize,
    entries: HashMap<AggregateId, ChangedAggregate>,
    /// The data for undoing the changes of the event in hand if its policy fails.
    undo: Undo,
    notes: Rc<RefCell<Notes>>,
}

#[derive(Default)]
struct Undo {
    events: usize,
    entries: Vec<(AggregateId, Option<ChangedAggregate>)>,
}

/// An aggregate that a policy of this batch has changed.
pub(crate) struct ChangedAggregate {
    pub(crate) version: u64,
    /// The aggregate itself, if its state can be cloned; otherwise it is replayed.
    pub(crate) aggregate: Option<CachedAggregate>,
    /// The snapshot of it, if one was due in this batch.
    pub(crate) snapshot: Option<StoredEvent>,
}

/// The events that a batch records, and the aggregates and snapshots to be kept after the commit.
pub(crate) struct Collected {
    /// The events, in the order in which they were collected.
    pub(crate) events: Vec<StoredEvent>,
    /// The aggregates in the state after the events, for the cache.
    pub(crate) aggregates: Vec<CachedAggregate>,
    pub(crate) snapshots: Vec<StoredEvent>,
}

impl Batch {
    /// Marks the point to which [`undo_event`](Self::undo_event) returns.
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

    /// Returns the bytes of what the batch has in memory, as they are stored. The batch keeps the
    /// aggregates that it has changed, and their size is not known, so the events that they were
    /// made of stand for them. A snapshot that was replaced, an event that was undone, and an
    /// aggregate that was only read are counted too, so the bytes may be too many.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts the stored bytes that a policy has loaded for an aggregate.
    pub(crate) fn loaded(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// Takes out the errors that stores have returned to the policy for the event in hand.
    pub(crate) fn take_store_errors(&mut self) -> StoreErrors {
        self.notes.take().summary()
    }

    /// Adds the new events of an aggregate; `entry` is its state after them.
    pub(crate) fn add(
        &mut self,
        id: AggregateId,
        events: Vec<StoredEvent>,
        mut entry: ChangedAggregate,
    ) {
        let former = self.entries.remove(&id);
        if entry.snapshot.is_none() {
            entry.snapshot = former.as_ref().and_then(|entry| entry.snapshot.clone());
        }
        self.bytes += bytes_of(events.iter().chain(&entry.snapshot));
        self.entries.insert(id.clone(), entry);
        self.undo.entries.push((id, former));
        self.events.extend(events);
    }

    /// Returns the aggregate in the state that this batch has collected. Returns `None` if the
    /// batch has not changed it or if its state cannot be cloned.
    pub(crate) fn aggregate<A: Aggregate>(&self, id: &AggregateId) -> Option<A> {
        self.entries.get(id)?.aggregate.as_ref()?.get()
    }

    /// Returns the version of the aggregate in this batch, if this batch has changed it.
    pub(crate) fn version_of(&self, id: &AggregateId) -> Option<u64> {
        self.entries.get(id).map(|entry| entry.version)
    }

    /// Returns the events of one aggregate that this batch has collected.
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

    /// Returns everything that this batch has collected.
    pub(crate) fn into_collected(self) -> Collected {
        let mut aggregates = Vec::new();
        let mut snapshots = Vec::new();
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

/// Returns the bytes of the states.
pub(crate) fn bytes_of<'a>(stored: impl IntoIterator<Item = &'a StoredEvent>) -> usize {
    stored.into_iter().map(|stored| stored.state.len()).sum()
}

thread_local! {
    /// The batches whose policies run on this thread. There is more than one if a policy drives
    /// another system.
    static BOUND: RefCell<Vec<(u64, Rc<RefCell<Batch>>)>> = const { RefCell::new(Vec::new()) };
}

/// Returns the batch whose policies run on this thread for this application object.
pub(crate) fn of(instance: u64) -> Option<Rc<RefCell<Batch>>> {
    BOUND.with_borrow(|bound| {
        bound
            .iter()
            .rev()
            .find(|(owner, _)| *owner == instance)
            .map(|(_, batch)| batch.clone())
    })
}

/// Unbinds the batch when it is dropped, also when a policy panics.
pub(crate) struct BatchBinding {
    _notes: NotesBinding,
}

/// Binds the batch to this thread and to this application object. `in_store` is true while a policy
/// waits for a store.
pub(crate) fn bind(
    instance: u64,
    batch: &Rc<RefCell<Batch>>,
    in_store: Arc<AtomicBool>,
) -> BatchBinding {
    let notes = store_errors::bind(batch.borrow().notes.clone(), in_store);
    BOUND.with_borrow_mut(|bound| bound.push((instance, batch.clone())));
    BatchBinding { _notes: notes }
}

impl Drop for BatchBinding {
    fn drop(&mut self) {
        BOUND.with_borrow_mut(|bound| bound.pop());
    }
}
