//! Lends aggregates to the policies of a batch, and takes them back.
//!
//! A policy owns the aggregate that it gets. When the policy drops it, it comes back to the batch,
//! and the next policy gets it without a load. It comes back only to the batch that has lent it,
//! and only while the same event is processed. So an aggregate that a policy puts aside, moves to
//! another thread, or changes and does not collect is loaded again. A second `get` of an aggregate
//! that the policy still has is a load, too. From then on a copy of that aggregate stays behind, if
//! its state can be cloned.
//!
//! Concurrency: the batch is of one thread. It is not borrowed while a store is called, or while a
//! state is dropped that comes back.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use es_core::__private::Loan;
use es_core::{Aggregate, AggregateId, Root};

use crate::application::batch::{self, Batch};
use crate::application::cache::clone_saved;
use crate::application::core::Application;
use crate::application::kept::{Kept, KeptRoot, Size};
use crate::error::Result;

/// The aggregates of a batch that come from the batches before it and are for those behind it.
pub(crate) struct Lender {
    pub(crate) kept: Kept,
    /// The number of the loans for the event in hand.
    loan: u64,
    /// True if the application's log was looked at in this batch.
    has_looked: bool,
}

impl Lender {
    pub(crate) fn new(kept: Kept) -> Self {
        Self {
            kept,
            loan: next_loan(),
            has_looked: false,
        }
    }

    /// Ends all loans, because another event is next.
    pub(crate) fn begin_event(&mut self) {
        self.loan = next_loan();
    }

    /// Lends an aggregate whose new events the batch has collected.
    pub(crate) fn lend_changed<A: Aggregate>(&mut self, root: &mut Root<A>, bytes: usize) {
        if root.__is_entry() {
            return;
        }
        let id = root.id().clone();
        let is_copied = self.kept.is_copied(&id);
        let copy = is_copied.then(|| clone_saved(root)).flatten();
        let copy = copy.map(|copy| Box::new(copy) as Box<dyn KeptRoot>);
        self.kept.changed(&id, self.loan, bytes, copy);
        root.__lend(loan(self.loan));
    }
}

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
    let taken = with_lender(batch, |lender| lender.kept.take(id, lender.loan));
    let Some(taken) = taken.flatten() else {
        return Ok(Found::Nothing);
    };
    let root: Box<dyn Any> = taken.root;
    // Another type with that id is found out by the load.
    let Ok(mut root) = root.downcast::<Root<A>>() else {
        return Ok(Found::Nothing);
    };
    if taken.is_behind {
        return Ok(Found::Behind(A::__from_root(*root)));
    }
    if let Some(copy) = taken.is_copied.then(|| clone_saved(&root)).flatten() {
        let kept = with_lender(batch, |lender| lender.kept.give_back(id, Box::new(copy)));
        drop(kept);
    }
    with_lender(batch, |lender| root.__lend(loan(lender.loan)));
    Ok(Found::Current(A::__from_root(*root)))
}

/// Has an aggregate that was loaded for a policy come back. It was loaded behind the version
/// `base`, or as a whole if that is 0; `size` is that of what was loaded.
pub(crate) fn lend<A: Aggregate>(
    batch: &Rc<RefCell<Batch>>,
    aggregate: &mut A,
    base: u64,
    size: Size,
) {
    let root = aggregate.__root_mut();
    let id = root.id().clone();
    with_lender(batch, |lender| {
        lender.kept.lent(&id, lender.loan, base, size);
        root.__lend(loan(lender.loan));
    });
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
    let looked = kept.look(application);
    with_lender(batch, |lender| match looked {
        Ok(()) => lender.kept = kept,
        // Nothing is kept, so the next one has nothing to look for, but it needs to know the head.
        Err(_) => lender.has_looked = false,
    });
    looked
}

fn with_lender<T>(batch: &Rc<RefCell<Batch>>, work: impl FnOnce(&mut Lender) -> T) -> Option<T> {
    batch.borrow_mut().lender().map(work)
}

fn next_loan() -> u64 {
    static LOANS: AtomicU64 = AtomicU64::new(1);
    LOANS.fetch_add(1, Ordering::Relaxed)
}

fn loan<A: Aggregate>(number: u64) -> Loan<A> {
    Loan { number, give_back }
}

/// Takes back an aggregate that a policy drops, if the batch still processes the event for which it
/// was lent.
fn give_back<A: Aggregate>(loan: u64, root: Root<A>) {
    let Some(batch) = batch::find(|batch| batch.lends(loan)) else {
        return;
    };
    let returned = match batch.try_borrow_mut() {
        Ok(mut batch) => {
            let id = root.id().clone();
            batch.give_back(&id, Box::new(root))
        }
        Err(_) => None,
    };
    drop(returned);
}

impl Lender {
    pub(crate) fn lends(&self, loan: u64) -> bool {
        self.loan == loan
    }
}
