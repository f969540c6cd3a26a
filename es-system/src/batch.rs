//! What the policies of one batch have collected, until it is recorded.
//!
//! Concurrency: while policies run, the batch is bound to the pair (application object, thread) by a guard. The
//! repository of that application, on that thread, sees the batch's own writes; every other thread sees what is
//! committed. The batch never leaves its thread, so it needs no lock.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use es_core::{Aggregate, AggregateId};
use es_store::{Recording, Role, StoredEvent};

use crate::cache::Saved;
use crate::{Application, Error, Result, saving, snapshots};

/// The events that a batch has collected, and the aggregates as they are after them.
#[derive(Default)]
pub(crate) struct Batch {
    events: Vec<StoredEvent>,
    entries: HashMap<AggregateId, Entry>,
    /// How things were before the event in hand: to undo what it did if it fails.
    undo: Undo,
    /// A failure of a store that the policy for the event in hand has met.
    store_failure: Option<Error>,
}

#[derive(Default)]
struct Undo {
    events: usize,
    entries: Vec<(AggregateId, Option<Entry>)>,
}

/// An aggregate that a policy of this batch has changed.
struct Entry {
    version: u64,
    /// The aggregate itself, if its state can be cloned; otherwise it is replayed.
    aggregate: Option<Saved>,
    /// A snapshot of it, if one was due in this batch.
    snapshot: Option<StoredEvent>,
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

    /// The failure of the store that the policy for the event in hand has met, if it has.
    pub(crate) fn take_store_failure(&mut self) -> Option<Error> {
        self.store_failure.take()
    }

    /// Takes the pending events of an aggregate.
    pub(crate) fn collect<A: Aggregate>(
        &mut self,
        application: &Application,
        aggregate: &mut A,
    ) -> Result<()> {
        let events = saving::encode(application, aggregate)?;
        let recording = Recording::new(events);
        recording
            .check(application.recorder()?.id_type(), Role::Follower)
            .map_err(|e| application.store_error(e))?;
        let events = recording.events;
        let Some(first) = events.first() else {
            return Ok(());
        };
        let root = aggregate.__root_mut();
        let id = root.id().clone();
        self.refuse_stale(application, &id, first.originator_version)?;
        root.__saved_up_to(root.version());
        let due = snapshots::due(application, aggregate, first.originator_version);
        let earlier = || self.entries.get(&id)?.snapshot.clone();
        let entry = Entry {
            version: aggregate.__root().version(),
            aggregate: Saved::of(aggregate),
            snapshot: due.or_else(earlier),
        };
        let former = self.entries.insert(id.clone(), entry);
        self.undo.entries.push((id, former));
        self.events.extend(events);
        Ok(())
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

    /// Two copies of one aggregate, both changed: the second would conflict with the first each time the
    /// batch runs, so it is the policy's failure and not the store's.
    fn refuse_stale(&self, application: &Application, id: &AggregateId, first: u64) -> Result<()> {
        match self.version_of(id) {
            Some(version) if first != version + 1 => Err(Error::Usage(format!(
                "{}: version {first} of aggregate {id} was collected already: after `collect_events` get the \
                 aggregate from the repository again, instead of using an older copy",
                application.name()
            ))),
            _ => Ok(()),
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

/// Notes, if a policy runs on this thread, that a store failed which it used: its own application's or another's.
pub(crate) fn note_store_failure(error: &Error) {
    let innermost = BOUND.with_borrow(|bound| bound.last().map(|(_, batch)| batch.clone()));
    if let Some(batch) = innermost {
        batch
            .borrow_mut()
            .store_failure
            .get_or_insert_with(|| error.clone());
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
