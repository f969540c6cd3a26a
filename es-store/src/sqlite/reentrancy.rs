//! Calls of a store inside one of its own transactions.
//!
//! A user's code runs in some transactions while the one connection that writes is held. If that
//! code called the store again, it would wait for itself. So the thread is registered, and such a
//! call is refused.

use std::sync::Mutex;
use std::thread::{self, ThreadId};

use crate::error::StoreError;
use crate::sql::label::Label;
use crate::sync::lock;

/// The thread that runs a user's code in a transaction.
#[derive(Default)]
pub(super) struct Reentrancy(Mutex<Option<ThreadId>>);

/// The registration of a thread, until it is dropped.
pub(super) struct ReentrancyGuard<'a>(&'a Reentrancy);

impl Reentrancy {
    /// Registers this thread until the guard is dropped.
    pub(super) fn enter(&self) -> ReentrancyGuard<'_> {
        *lock(&self.0) = Some(thread::current().id());
        ReentrancyGuard(self)
    }

    /// Refuses a call that would wait for its own thread.
    pub(super) fn refuse(&self, label: &Label) -> Result<(), StoreError> {
        if *lock(&self.0) != Some(thread::current().id()) {
            return Ok(());
        }
        Err(label.statement(
            "the store was called inside a transaction of its own: use the transaction that is open",
        ))
    }
}

impl Drop for ReentrancyGuard<'_> {
    fn drop(&mut self) {
        *lock(&self.0.0) = None;
    }
}
