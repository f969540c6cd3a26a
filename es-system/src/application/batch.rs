//! The events that the policies of one batch have collected and that are not recorded yet.
//!
//! Concurrency: while policies run, a guard binds the batch to the pair (application object,
//! thread). On that thread, the repository of that application sees the batch's own writes; every
//! other thread sees committed events only. The batch never leaves its thread, so it needs no lock.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use es_core::AggregateId;
use es_store::sync::Flag;
use es_store::{Mapper, StoredEvent};

use crate::application::kept::{Dropped, HeldRoot, Kept};
use crate::application::lender::Lender;
use crate::application::store_errors::{self, Notes, NotesBinding, StoreErrors};

/// The events that a batch has collected, and the aggregates that its policies have changed or
/// loaded.
#[derive(Default)]
pub(crate) struct Batch {
    events: Vec<StoredEvent>,
    /// The bytes of the states of the collected events and snapshots, and of the events that were
    /// loaded meanwhile.
    bytes: usize,
    changed: HashMap<AggregateId, ChangedAggregate>,
    /// The aggregates in memory; `None` if the batch keeps none, as that of a projection.
    lender: Option<Lender>,
    /// The data for undoing the changes of the event in hand if its policy fails.
    undo: Undo,
    /// The events that its policies have saved by a second object of the application.
    saved_inside: Vec<StoredEvent>,
    notes: Rc<RefCell<Notes>>,
}

#[derive(Default)]
struct Undo {
    events: usize,
    saved_inside: usize,
    changed: Vec<(AggregateId, Option<ChangedAggregate>)>,
}

/// An aggregate that a policy of this batch has changed.
pub(crate) struct ChangedAggregate {
    pub(crate) version: u64,
    /// The snapshot of it, if one was due in this batch.
    pub(crate) snapshot: Option<StoredEvent>,
}

/// The events that a batch records, and what is done after the commit.
pub(crate) struct Collected {
    /// The events, in the order in which they were collected.
    pub(crate) events: Vec<StoredEvent>,
    /// The aggregates that have changed.
    pub(crate) changed: Vec<AggregateId>,
    /// The snapshots that are due.
    pub(crate) snapshots: Vec<StoredEvent>,
    /// The aggregates in memory.
    pub(crate) kept: Kept,
    /// The events that its policies have saved by a second object of the application.
    pub(crate) saved_inside: Vec<StoredEvent>,
}

impl Batch {
    /// Returns a batch that has the aggregates in memory that the ones before it have kept.
    /// `mapper` is that of their application.
    pub(crate) fn keeping(mapper: Mapper, kept: Kept) -> Self {
        Self {
            lender: Some(Lender::new(mapper, kept)),
            ..Self::default()
        }
    }

    /// Marks the point to which [`undo_event`](Self::undo_event) returns.
    pub(crate) fn begin_event(&mut self) {
        self.undo.events = self.events.len();
        self.undo.saved_inside = self.saved_inside.len();
        self.undo.changed.clear();
    }

    /// Undoes everything since [`begin_event`](Self::begin_event). Returns what is to be dropped.
    pub(crate) fn undo_event(&mut self) -> Dropped {
        self.events.truncate(self.undo.events);
        self.saved_inside.truncate(self.undo.saved_inside);
        let mut dropped = Dropped::new();
        for (id, former) in self.undo.changed.drain(..).rev() {
            if let Some(lender) = &mut self.lender {
                dropped.extend(lender.kept.remove(&id));
            }
            match former {
                Some(former) => self.changed.insert(id, former),
                None => self.changed.remove(&id),
            };
        }
        dropped
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

    /// Returns the time in which policies have waited for aggregates. It is not the batch's own, if
    /// the next batch does not have to wait for the same aggregates again.
    pub(crate) fn waited(&self) -> Duration {
        let lender = self.lender.as_ref();
        lender.map_or(Duration::ZERO, |lender| lender.kept.waited())
    }

    pub(crate) fn lender(&mut self) -> Option<&mut Lender> {
        self.lender.as_mut()
    }

    /// Returns true if policies of this batch get aggregates by this loan.
    pub(crate) fn lends(&self, loan: u64) -> bool {
        self.lender
            .as_ref()
            .is_some_and(|lender| lender.loan == loan)
    }

    /// Takes back an aggregate from a policy, unless it is an older copy of one that has changed.
    /// `measured` are the bytes of its state, if they were measured; it is empty if the state
    /// cannot be stored. Returns what is to be dropped.
    pub(crate) fn give_back(
        &mut self,
        id: &AggregateId,
        root: HeldRoot,
        measured: Option<Option<usize>>,
    ) -> Dropped {
        let is_current = self
            .version_of(id)
            .is_none_or(|version| version == root.version());
        let Some(lender) = self.lender.as_mut().filter(|_| is_current) else {
            return vec![root.into()];
        };
        if let Some(bytes) = measured {
            lender.kept.measured(id, root.version(), bytes);
        }
        lender.kept.give_back(id, root)
    }

    /// Records that a policy saves events by a second object of the application. Others may have
    /// saved by now what the batch has not looked at.
    pub(crate) fn saved_inside(&mut self, events: &[StoredEvent]) {
        self.bytes += bytes_of(events);
        self.saved_inside.extend_from_slice(events);
        if let Some(lender) = &mut self.lender {
            lender.has_looked = false;
        }
    }

    /// Adds the new events of an aggregate.
    pub(crate) fn add(
        &mut self,
        id: AggregateId,
        events: Vec<StoredEvent>,
        mut changed: ChangedAggregate,
    ) {
        let former = self.changed.remove(&id);
        if changed.snapshot.is_none() {
            changed.snapshot = former.as_ref().and_then(|former| former.snapshot.clone());
        }
        self.bytes += bytes_of(events.iter().chain(&changed.snapshot));
        self.changed.insert(id.clone(), changed);
        self.undo.changed.push((id, former));
        self.events.extend(events);
    }

    /// Returns the version of the aggregate in this batch, if this batch has changed it.
    pub(crate) fn version_of(&self, id: &AggregateId) -> Option<u64> {
        self.changed.get(id).map(|changed| changed.version)
    }

    /// Returns the events of one aggregate that this batch has collected.
    pub(crate) fn events_of(&self, id: &AggregateId) -> Vec<StoredEvent> {
        if !self.changed.contains_key(id) {
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
        let (changed, of): (Vec<_>, Vec<_>) = self.changed.into_iter().unzip();
        Collected {
            events: self.events,
            changed,
            snapshots: of.into_iter().filter_map(|one| one.snapshot).collect(),
            kept: self.lender.map(|lender| lender.kept).unwrap_or_default(),
            saved_inside: self.saved_inside,
        }
    }
}

/// Returns the bytes of the states.
pub(crate) fn bytes_of<'a>(stored: impl IntoIterator<Item = &'a StoredEvent>) -> usize {
    stored.into_iter().map(|stored| stored.state.len()).sum()
}

/// A batch whose policies run on this thread.
struct Bound {
    /// The number of the application object.
    instance: u64,
    /// The name of the application.
    name: String,
    batch: Rc<RefCell<Batch>>,
}

thread_local! {
    /// The batches whose policies run on this thread. There is more than one if a policy drives
    /// another system.
    static BOUND: RefCell<Vec<Bound>> = const { RefCell::new(Vec::new()) };
}

/// Returns the batch whose policies run on this thread for this application object.
pub(crate) fn of(instance: u64) -> Option<Rc<RefCell<Batch>>> {
    BOUND.with_borrow(|bound| {
        bound
            .iter()
            .rev()
            .find(|bound| bound.instance == instance)
            .map(|bound| bound.batch.clone())
    })
}

/// Returns the batches whose policies run on this thread for the application `name`, by another
/// object of it than `instance`.
pub(crate) fn beside(instance: u64, name: &str) -> Vec<Rc<RefCell<Batch>>> {
    BOUND.with_borrow(|bound| {
        let beside = bound
            .iter()
            .filter(|bound| bound.name == name && bound.instance != instance);
        beside.map(|bound| bound.batch.clone()).collect()
    })
}

/// Returns the batch whose policies run on this thread and for which `is_it` returns true. There is
/// none while this thread ends, or while the batch is in use.
pub(crate) fn find(is_it: impl Fn(&Batch) -> bool) -> Option<Rc<RefCell<Batch>>> {
    let found = BOUND.try_with(|bound| {
        let bound = bound.try_borrow().ok()?;
        let is_it = |batch: &RefCell<Batch>| batch.try_borrow().is_ok_and(|batch| is_it(&batch));
        let mut batches = bound.iter().rev().map(|bound| &bound.batch);
        batches.find(|batch| is_it(batch)).cloned()
    });
    found.ok().flatten()
}

/// Unbinds the batch when it is dropped, also when a policy panics.
pub(crate) struct BatchBinding {
    _notes: NotesBinding,
}

/// Binds the batch to this thread and to this object of the application `name`. `in_store` is
/// raised while a policy waits for a store.
pub(crate) fn bind(
    (instance, name): (u64, &str),
    batch: &Rc<RefCell<Batch>>,
    in_store: Flag,
) -> BatchBinding {
    let notes = store_errors::bind(batch.borrow().notes.clone(), in_store);
    let bound = Bound {
        instance,
        name: name.to_owned(),
        batch: batch.clone(),
    };
    BOUND.with_borrow_mut(|all| all.push(bound));
    BatchBinding { _notes: notes }
}

impl Drop for BatchBinding {
    fn drop(&mut self) {
        let unbound = BOUND.with_borrow_mut(|bound| bound.pop());
        drop(unbound);
    }
}
