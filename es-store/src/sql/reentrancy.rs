//! Calls of a store inside one of its own transactions.
//!
//! A user's code runs in some transactions while a connection is held: the only one that writes, or
//! the last one of a pool. If that code called the store again, it could wait for itself. So the
//! thread remembers its transactions, and every such call is refused, on every database and
//! whether or not a connection is free now.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::StoreError;
use crate::sql::label::Label;

thread_local! {
    /// The stores in whose transactions this thread runs a user's code.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// The transactions of one store in which a user's code runs, of each thread its own.
pub(crate) struct Reentrancy(u64);

/// The registration of a transaction, until it is dropped on the same thread.
pub(crate) struct ReentrancyGuard {
    store: u64,
    of_this_thread: PhantomData<*const ()>,
}

impl Default for Reentrancy {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl Reentrancy {
    /// Registers a transaction of this thread until the guard is dropped.
    pub(crate) fn enter(&self) -> ReentrancyGuard {
        ENTERED.with_borrow_mut(|entered| entered.push(self.0));
        ReentrancyGuard {
            store: self.0,
            of_this_thread: PhantomData,
        }
    }

    /// Refuses a call inside a transaction of this thread.
    pub(crate) fn refuse(&self, label: &Label) -> Result<(), StoreError> {
        if ENTERED.with_borrow(|entered| !entered.contains(&self.0)) {
            return Ok(());
        }
        Err(label.statement(
            "the store was called inside a transaction of its own: use the transaction that is open",
        ))
    }
}

impl Drop for ReentrancyGuard {
    fn drop(&mut self) {
        ENTERED.with_borrow_mut(|entered| {
            let last = entered.iter().rposition(|store| *store == self.store);
            last.map(|last| entered.remove(last));
        });
    }
}
