//! A call that waits for the server would hold up an async task, and with it all others of its
//! thread. So it is refused there.
//!
//! Nothing in tokio says that a thread is in the middle of a task: a thread of its pool for work
//! that blocks has a runtime and a task id as well, and may block. Only a task has a budget of
//! steps, after which it is to give its turn away. So [`TaskBudget`] takes steps until there are
//! none left; the task then gives its turn away at its next `.await`, behind the error that it
//! gets. Where there is no runtime, which is where most calls come from, no step is taken; on a
//! thread of the pool the steps take three microseconds together. A task that tokio was told to run
//! `unconstrained` has no budget, and is not noticed: its call blocks, and does no other harm.

use std::pin::pin;
use std::task::{Context, Waker};

use tokio::runtime::Handle;
use tokio::task::coop::{consume_budget, has_budget_remaining};

use super::label::PostgresLabel;
use crate::error::StoreError;

/// Refuses what would block an async task.
pub(super) fn check_may_block(label: &PostgresLabel) -> Result<(), StoreError> {
    match TaskBudget::use_up() {
        TaskBudget::Used => Err(label.would_block()),
        TaskBudget::NoRuntime | TaskBudget::Endless => Ok(()),
    }
}

/// The kind of thread, as the budget of a task tells it.
#[derive(Debug, PartialEq, Eq)]
enum TaskBudget {
    /// There is no task without a runtime.
    NoRuntime,
    /// There is no task: steps can be taken for ever.
    Endless,
    /// There is a task, which has no step left.
    Used,
}

impl TaskBudget {
    /// As many as tokio gives a task for one turn. A test finds out if it gives more.
    const STEPS: usize = 128;

    fn use_up() -> Self {
        if Handle::try_current().is_err() {
            return Self::NoRuntime;
        }
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..Self::STEPS {
            // Without a step left it is pending, and would be woken.
            let _taken = pin!(consume_budget()).poll(&mut context);
        }
        match has_budget_remaining() {
            true => Self::Endless,
            false => Self::Used,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;

    use tokio::runtime::{Builder, Runtime};
    use tokio::task::{coop::unconstrained, spawn_blocking, yield_now};

    use super::*;

    fn runtime() -> Runtime {
        Builder::new_current_thread().build().expect("a runtime")
    }

    fn found_in(task: impl Future<Output = TaskBudget>) -> TaskBudget {
        runtime().block_on(task)
    }

    #[test]
    fn no_step_is_taken_where_there_is_no_runtime() {
        assert_eq!(TaskBudget::use_up(), TaskBudget::NoRuntime);
    }

    #[test]
    fn a_task_is_noticed_as_often_as_it_is_asked() {
        let found = found_in(async {
            for _ in 0..3 {
                assert_eq!(TaskBudget::use_up(), TaskBudget::Used);
                assert_eq!(TaskBudget::use_up(), TaskBudget::Used);
                yield_now().await;
            }
            tokio::spawn(async { TaskBudget::use_up() })
                .await
                .expect("no panic")
        });
        assert_eq!(found, TaskBudget::Used);
    }

    #[test]
    fn a_thread_that_may_block_is_none_though_it_has_a_runtime() {
        let found = found_in(async { spawn_blocking(TaskBudget::use_up).await.expect("no panic") });
        assert_eq!(found, TaskBudget::Endless);
        let runtime = runtime();
        let _entered = runtime.enter();
        assert_eq!(TaskBudget::use_up(), TaskBudget::Endless);
    }

    /// The limit of this device, which is why it must do no harm.
    #[test]
    fn a_task_without_a_budget_is_not_noticed() {
        let found = found_in(unconstrained(async { TaskBudget::use_up() }));
        assert_eq!(found, TaskBudget::Endless);
    }
}
