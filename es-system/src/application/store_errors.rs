//! The errors that stores return to a policy.
//!
//! A store that failed is no failure of the policy: its batch runs again, whatever the policy has
//! made of the error. So errors are noted where they arise. A mended error is no failure either:
//!
//! - An error is dropped if the call that met it succeeds all the same, as `execute` does when it
//!   repeats its command after a conflict, or sends a save again whose outcome was unknown.
//! - It is dropped if the same aggregates are saved again, or the same aggregate is loaded again,
//!   and that succeeds.
//! - It is dropped if its doubt is settled.
//!
//! An error of a store that a policy ignores, as with `.ok()`, is not mended. The policy may have
//! decided by what it could not read, so its batch runs again.

use std::cell::RefCell;
use std::rc::Rc;

use es_core::{Aggregate, AggregateId};
use es_store::sync::Flag;

use crate::application::aggregates::{Aggregates, Visitor};
use crate::error::{Doubt, Error, ErrorKind, Result};

/// The maximum number of errors that are noted for one event.
const MAX: usize = 64;

/// The errors that stores have returned to the policy for the event in hand, and that nothing has
/// mended.
#[derive(Default)]
pub(crate) struct StoreErrors {
    /// The first failure of a store.
    pub(crate) failure: Option<Error>,
    /// The last conflict.
    pub(crate) conflict: Option<Error>,
}

/// The errors that are noted for the event in hand, in their order.
#[derive(Default)]
pub(crate) struct Notes {
    noted: Vec<Note>,
    next: u64,
}

struct Note {
    number: u64,
    error: Error,
    /// The call that met it and that mends it by succeeding later.
    call: Option<Call>,
}

/// A call that can be repeated: a save or a load of these aggregates.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Call {
    application: u64,
    is_save: bool,
    ids: Vec<AggregateId>,
}

/// A moment in the policy for the event in hand.
#[derive(Clone, Copy)]
pub(crate) struct Moment(Option<u64>);

impl Notes {
    fn add(&mut self, error: &Error) {
        if self.noted.len() < MAX {
            self.noted.push(Note {
                number: self.next,
                error: error.clone(),
                call: None,
            });
            self.next += 1;
        }
    }

    /// Decides what the errors mean for the policy.
    pub(crate) fn summary(self) -> StoreErrors {
        let mut errors = StoreErrors::default();
        for Note { error, .. } in self.noted {
            if error.kind() == ErrorKind::Conflict {
                errors.conflict = Some(error);
            } else {
                errors.failure.get_or_insert(error);
            }
        }
        errors
    }
}

/// Adds an error of a store to the notes if a policy runs on this thread. The store may be that of
/// another application than the policy's.
pub(crate) fn record(error: &Error) {
    if error.kind() == ErrorKind::Conflict || error.is_of_store() {
        with_notes(|notes| notes.add(error));
    }
}

/// Drops the error of a save whose outcome is known now.
pub(crate) fn take_back(settled: &Doubt) {
    let is_of = |note: &Note| note.error.doubt().is_some_and(|own| own.is_same(settled));
    with_notes(|notes| notes.noted.retain(|note| !is_of(note)));
}

/// Returns the moment before a command, to which [`mended_since`] returns.
pub(crate) fn now() -> Moment {
    Moment(with_notes(|notes| notes.next))
}

/// Drops the errors that were noted since then, because everything is done again.
pub(crate) fn mended_since(Moment(since): Moment) {
    if let Some(since) = since {
        with_notes(|notes| notes.noted.retain(|note| note.number < since));
    }
}

/// Runs a call. If it succeeds, the errors that it has met, now or before, are mended.
pub(crate) fn mending<T>(call: Option<Call>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let Some(call) = call else { return work() };
    let began = now();
    let done = work();
    if done.is_ok() {
        mended_since(began);
        with_notes(|notes| notes.noted.retain(|note| note.call.as_ref() != Some(&call)));
    } else if let Moment(Some(since)) = began {
        with_notes(|notes| {
            let new = notes.noted.iter_mut().filter(|note| note.number >= since);
            new.for_each(|note| note.call = Some(call.clone()));
        });
    }
    done
}

/// Returns the call that saves these aggregates, if a policy runs on this thread.
pub(crate) fn save_of(application: u64, aggregates: &mut impl Aggregates) -> Result<Option<Call>> {
    if with_notes(|_| ()).is_none() {
        return Ok(None);
    }
    let mut ids = Ids(Vec::new());
    aggregates.__visit(&mut ids)?;
    Ok(Some(Call {
        application,
        is_save: true,
        ids: ids.0,
    }))
}

/// Returns the call that loads an aggregate, if a policy runs on this thread.
pub(crate) fn load_of(application: u64, id: &AggregateId) -> Option<Call> {
    with_notes(|_| Call {
        application,
        is_save: false,
        ids: vec![id.clone()],
    })
}

struct Ids(Vec<AggregateId>);

impl Visitor for Ids {
    fn visit<A: Aggregate>(&mut self, aggregate: &mut A) -> Result<()> {
        self.0.push(aggregate.__root().id().clone());
        Ok(())
    }
}

thread_local! {
    /// The notes of the batches whose policies run on this thread. There is more than one if a
    /// policy drives another system.
    static BOUND: RefCell<Vec<Bound>> = const { RefCell::new(Vec::new()) };
}

/// The notes of a batch, and the flag that is raised while its policy waits for a store.
type Bound = (Rc<RefCell<Notes>>, Flag);

/// Unbinds the notes when it is dropped.
pub(crate) struct NotesBinding(());

/// Binds the notes of a batch to this thread.
pub(crate) fn bind(notes: Rc<RefCell<Notes>>, in_store: Flag) -> NotesBinding {
    BOUND.with_borrow_mut(|bound| bound.push((notes, in_store)));
    NotesBinding(())
}

impl Drop for NotesBinding {
    fn drop(&mut self) {
        BOUND.with_borrow_mut(|bound| bound.pop());
    }
}

/// Calls `work` with the notes of the policy that runs on this thread, if one does.
fn with_notes<T>(work: impl FnOnce(&mut Notes) -> T) -> Option<T> {
    let notes = BOUND.with_borrow(|bound| bound.last().map(|(notes, _)| notes.clone()))?;
    let mut notes = notes.borrow_mut();
    Some(work(&mut notes))
}

/// Calls a store. Meanwhile other threads see that the policy on this thread, if one runs, waits
/// for it.
pub(crate) fn calling<T>(store: impl FnOnce() -> T) -> T {
    let in_store = BOUND.with_borrow(|bound| bound.last().map(|(_, in_store)| in_store.clone()));
    let _raised = in_store.as_ref().and_then(Flag::raise);
    store()
}
