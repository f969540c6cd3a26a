//! What a follower is doing, to look at while it runs.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Error;

/// What one follower of a running system is doing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FollowerStatus {
    /// The name of the application.
    pub follower: String,
    /// The recorded position in each upstream, in the order of definition; 0 is before the first event.
    pub positions: Vec<(String, u64)>,
    /// Whether it works.
    pub condition: Condition,
}

/// Whether a follower works.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Condition {
    /// It processes events as they come.
    #[default]
    Running,
    /// Its store failed; the batch runs again by itself.
    Retrying {
        /// The last failure.
        error: Error,
        /// Failures in a row.
        attempts: u32,
    },
    /// It stopped in front of an event, until it is started again.
    Stopped {
        /// Why.
        error: Error,
    },
}

/// The condition of a follower, shared between who works and who looks.
#[derive(Debug, Default)]
pub(crate) struct StatusCell {
    condition: Mutex<Condition>,
}

impl StatusCell {
    pub(crate) fn condition(&self) -> Condition {
        self.lock().clone()
    }

    /// Why the follower stopped, if it did.
    pub(crate) fn stopped(&self) -> Option<Error> {
        match &*self.lock() {
            Condition::Stopped { error } => Some(error.clone()),
            _ => None,
        }
    }

    pub(crate) fn running(&self) {
        *self.lock() = Condition::Running;
    }

    /// Notes one more failure of the store; says how many there were in a row.
    pub(crate) fn retrying(&self, error: Error) -> u32 {
        let mut condition = self.lock();
        let attempts = match &*condition {
            Condition::Retrying { attempts, .. } => attempts.saturating_add(1),
            _ => 1,
        };
        *condition = Condition::Retrying { error, attempts };
        attempts
    }

    pub(crate) fn stop(&self, error: Error) {
        *self.lock() = Condition::Stopped { error };
    }

    fn lock(&self) -> MutexGuard<'_, Condition> {
        self.condition
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
