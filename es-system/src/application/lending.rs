//! Lends aggregates to the policies of a batch, and takes them back.
//!
//! A policy owns the aggregate that it gets. When the policy drops it, it comes back to the batch,
//! and the next policy gets it without a load. It comes back only to the batch that has lent it, in
//! the version that the batch knows, and without an event since. So an aggregate that a policy puts
//! aside, moves to another thread, or changes and does not collect is loaded again. A second `get`
//! of an aggregate that a policy still has is a load, too. From then on a copy of that aggregate
//! stays behind, if its state can be cloned.
//!
//! Concurrency: the batch is of one thread. It is not borrowed while a store is called, or while a
//! state is dropped that comes back.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use es_core::__private::Loan;
use es_core::{Aggregate, AggregateId, Root};
use es_store::{Notification, NotificationQuery};

use crate::application::batch::{self, Batch};
use crate::application::cache::clone_saved;
use crate::application::core::Application;
use crate::application::kept::{Load, held};
use crate::application::lender::Lender;
use crate::application::store_errors;
use crate::error::{Error, ErrorKind, Result};

/// An aggregate as it is found in a batch.
pub(crate) enum Found<A> {
    /// It is not there.
    Nothing,
    /// Others have saved events behind its version.
    Behind(A),
    /// It is what the policy gets.
    Current(A),
}

/// Takes an aggregate out of a batch for its policy.
pub(crate) fn take<A: Aggregate>(
    application: &Application,
    batch: &Rc<RefCell<Batch>>,
    id: &AggregateId,
) -> Result<Found<A>> {
    look(application, batch)?;
    let taken = with_lender(batch, |lender| lender.kept.take(id));
    let Some(taken) = taken.flatten() else {
        return Ok(Found::Nothing);
    };
    let root: Box<dyn Any> = taken.root.into_inner();
    // Another type with that id is found out by the load.
    let Ok(mut root) = root.downcast::<Root<A>>() else {
        return Ok(Found::Nothing);
    };
    if taken.is_behind {
        return Ok(Found::Behind(A::__from_root(*root)));
    }
    if let Some(copy) = taken.is_copied.then(|| clone_saved(&root)).flatten() {
        let dropped = with_lender(batch, |lender| lender.kept.give_back(id, held(copy)));
        drop(dropped);
    }
    with_lender(batch, |lender| lend_root(lender, &mut root));
    Ok(Found::Current(A::__from_root(*root)))
}

/// Has an aggregate that was loaded for a policy come back.
pub(crate) fn lend<A: Aggregate>(batch: &Rc<RefCell<Batch>>, aggregate: &mut A, load: &Load) {
    let root = aggregate.__root_mut();
    let id = root.id().clone();
    let dropped = with_lender(batch, |lender| {
        let dropped = lender.kept.lent(&id, load);
        lend_root(lender, root);
        dropped
    });
    drop(dropped);
}

/// Marks an aggregate that was loaded for a policy, and that may be too old to be kept, as one of
/// this application. If the policy changes it, it is kept, because the record judges its version.
pub(crate) fn mark<A: Aggregate>(batch: &Rc<RefCell<Batch>>, aggregate: &mut A) {
    with_lender(batch, |lender| {
        aggregate.__root_mut().__set_origin(lender.loan);
    });
}

/// Has an aggregate come back whose new events the batch has collected, from version `first` on.
///
/// That is only done with an aggregate that these events alone have made, or that this batch has
/// lent. The state of any other may be that of another application, which has an aggregate of the
/// same id at the same version.
pub(crate) fn lend_changed<A: Aggregate>(
    batch: &mut Batch,
    root: &mut Root<A>,
    first: u64,
    bytes: usize,
) {
    let Some(lender) = batch.lender().filter(|_| !root.__is_entry()) else {
        return;
    };
    let id = root.id().clone();
    if first > 1 && root.__origin() != Some(lender.loan) {
        lender.kept.remove(&id);
        return;
    }
    let is_copied = lender.kept.is_copied(&id);
    let copy = is_copied.then(|| clone_saved(root)).flatten().map(held);
    lender.kept.changed(&id, bytes, copy);
    lend_root(lender, root);
}

fn lend_root<A: Aggregate>(lender: &Lender, root: &mut Root<A>) {
    let number = lender.loan;
    root.__lend(Loan { number, give_back });
}

/// Looks at what others have saved to the application, once in a batch.
fn look(application: &Application, batch: &Rc<RefCell<Batch>>) -> Result<()> {
    let unseen = with_lender(batch, |lender| {
        let is_first = !std::mem::replace(&mut lender.has_looked, true);
        is_first.then(|| std::mem::take(&mut lender.kept))
    });
    let Some(mut kept) = unseen.flatten() else {
        return Ok(());
    };
    let head = application.head();
    let looked = head.and_then(|head| kept.look(head, |query| undamaged(application, query)));
    with_lender(batch, |lender| match looked {
        Ok(()) => lender.kept = kept,
        // Nothing is kept, so the next one has nothing to look for, but it needs to know the head.
        Err(_) => lender.has_looked = false,
    });
    looked
}

/// Reads the application's own log. Returns `None` if a row of it is damaged: that is no failure of
/// the policy, which may never need it.
fn undamaged(
    application: &Application,
    query: &NotificationQuery,
) -> Result<Option<Vec<Notification>>> {
    let recorder = application.recorder()?;
    let page = store_errors::calling(|| recorder.select_notifications(query));
    page.map(Some).or_else(
        |error| match Error::store(application.name(), error.clone()).kind() {
            ErrorKind::BadData => Ok(None),
            _ => Err(application.store_error(error)),
        },
    )
}

fn with_lender<T>(batch: &Rc<RefCell<Batch>>, work: impl FnOnce(&mut Lender) -> T) -> Option<T> {
    batch.borrow_mut().lender().map(work)
}

/// Takes back an aggregate that a policy drops, if it is still the batch that has lent it.
fn give_back<A: Aggregate>(loan: u64, root: Root<A>) {
    let root = held(root);
    let Some(batch) = batch::find(|batch| batch.lends(loan)) else {
        return;
    };
    let (id, version) = (root.id().clone(), root.version());
    let due = batch.try_borrow_mut().ok().and_then(|mut batch| {
        let lender = batch.lender()?;
        let is_due = lender.kept.is_measure_due(&id, version);
        is_due.then(|| lender.mapper.clone())
    });
    let measured = due.map(|mapper| root.state_bytes(&mapper));
    let dropped = match batch.try_borrow_mut() {
        Ok(mut batch) => batch.give_back(&id, root, measured),
        Err(_) => vec![root.into()],
    };
    drop(dropped);
}
