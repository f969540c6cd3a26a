//! The refusal of calls that would block an async task, and with it all other tasks of its thread.
//!
//! Tokio does not tell whether a thread is running a task: a thread of its pool for blocking work
//! also has a runtime and a task id, and may block. Only a task has a budget of steps, after which
//! it has to yield. So [`TaskBudget`] takes steps until none is left. The task gets an error and
//! yields at its next `.await`. Most calls come from threads without a runtime, where no step is
//! taken; on a thread of the blocking pool all steps together take three microseconds. A task that
//! runs `unconstrained` has no budget and is not detected: its call blocks, and does no other harm.

use std::pin::pin;
use std::task::{Context, Waker};

use tokio::runtime::Handle;
use tokio::task::coop::{consume_budget, has_budget_remaining};

use super::label::PostgresLabel;
use crate::error::StoreError;

/// Returns an error if this thread is running an async task.
pub(super) fn check_may_block(label: &PostgresLabel) -> Result<(), StoreError> {
    match TaskBudget::use_up() {
        TaskBudget::Used => Err(label.would_block()),
        TaskBudget::NoRuntime | TaskBudget::Endless => Ok(()),
    }
}

/// The kind of thread, as detected by the budget of its task.
#[derive(Debug, PartialEq, Eq)]
enum TaskBudget {
    /// A thread without a runtime, which cannot be running a task.
    NoRuntime,
    /// A thread that runs no task: steps can be taken without end.
    Endless,
    /// A thread that runs a task, whose budget is now used up.
    Used,
}

impl TaskBudget {
    /// The number of steps that tokio gives a task for one turn. A test fails if tokio gives more.
    const STEPS: usize = 128;

    fn use_up() -> Self {
        if Handle::try_current().is_err() {
            return Self::NoRuntime;
        }
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..Self::STEPS {
            // Without a step left the future is pending. The waker that it would wake does nothing.
            let _taken = pin!(consume_budget()).poll(&mut context);
        }
        if has_budget_remaining() {
            Self::Endless
        } else {
            Self::Used
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

    /// This is the limit of the method, and the reason why an undetected task must do no harm.
    #[test]
    fn a_task_without_a_budget_is_not_noticed() {
        let found = found_in(unconstrained(async { TaskBudget::use_up() }));
        assert_eq!(found, TaskBudget::Endless);
    }
}
