//! Calls of a store inside a transaction of its own.
//!
//! A user's code runs in some transactions while the one connection that writes is held. Should
//! that code call the store again, it would wait for itself; so the thread is noted, and such a
//! call is refused.

use std::sync::Mutex;
use std::thread::{self, ThreadId};

use crate::error::StoreError;
use crate::sql::label::Label;
use crate::sync::lock;

/// The thread in whose transaction a user's code runs.
#[derive(Default)]
pub(super) struct Reentrancy(Mutex<Option<ThreadId>>);

/// Holds the thread's entry until it is dropped.
pub(super) struct ReentrancyGuard<'a>(&'a Reentrancy);

impl Reentrancy {
    /// Enters this thread until the guard is dropped.
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
