//! A call that waits for the server would hold up an async task, and with it all others of its
//! thread. So it is refused there.

use std::pin::pin;
use std::task::{Context, Waker};

use tokio::runtime::Handle;
use tokio::task::coop::{consume_budget, has_budget_remaining};

use super::label::PostgresLabel;
use crate::error::StoreError;

/// Twice as many as tokio gives a task for one turn.
const STEPS: usize = 256;

/// Refuses what would block an async task.
pub(super) fn check_may_block(label: &PostgresLabel) -> Result<(), StoreError> {
    match is_in_a_task() {
        true => Err(label.would_block()),
        false => Ok(()),
    }
}

/// Returns true if this thread is in the middle of an async task.
///
/// A thread of the pool for what blocks has a runtime as well. But only a task has a budget of
/// steps, so steps are taken until there are none left: then the task gives its turn away at its
/// next `.await`, after the error. A task that tokio was told to run `unconstrained` has none, and
/// is not noticed.
fn is_in_a_task() -> bool {
    if Handle::try_current().is_err() {
        return false;
    }
    let mut context = Context::from_waker(Waker::noop());
    let mut steps = (0..STEPS).map(|_| pin!(consume_budget()).poll(&mut context));
    steps.any(|_| !has_budget_remaining())
}
