//! What a follower is doing, to look at while it runs.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Error;

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
    /// It stopped in front of an event: a new runner begins with it, and [`Runner::rebuild`](crate::Runner::rebuild) has
    /// a projection go on in this one.
    Stopped {
        /// Why.
        error: Error,
    },
}

/// The condition of a follower, shared between who works and who looks.
#[derive(Debug, Default)]
pub(crate) struct StatusCell {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    condition: Condition,
    /// How often what a failure may have come from was mended.
    mends: u64,
}

impl StatusCell {
    pub(crate) fn condition(&self) -> Condition {
        self.lock().condition.clone()
    }

    /// How often what a failure may have come from was mended: to be read before an attempt.
    pub(crate) fn mends(&self) -> u64 {
        self.lock().mends
    }

    /// Why the follower stopped, if it did.
    pub(crate) fn stopped(&self) -> Option<Error> {
        match &self.lock().condition {
            Condition::Stopped { error } => Some(error.clone()),
            _ => None,
        }
    }

    pub(crate) fn running(&self) {
        self.lock().condition = Condition::Running;
    }

    /// Notes one more failure of the store; says how many there were in a row.
    pub(crate) fn retrying(&self, error: Error) -> u32 {
        let mut state = self.lock();
        let attempts = match &state.condition {
            Condition::Retrying { attempts, .. } => attempts.saturating_add(1),
            _ => 1,
        };
        state.condition = Condition::Retrying { error, attempts };
        attempts
    }

    /// Stops, because of an attempt that began after `mends`. An attempt that failed on what was mended meanwhile
    /// stops nothing. Says whether it has stopped.
    pub(crate) fn stop(&self, error: Error, mends: u64) -> bool {
        let mut state = self.lock();
        let is_of_now = state.mends == mends;
        if is_of_now {
            state.condition = Condition::Stopped { error };
        }
        is_of_now
    }

    /// What a failure may have come from is mended. Says whether the follower had stopped, and goes on.
    pub(crate) fn mended(&self) -> bool {
        let mut state = self.lock();
        state.mends += 1;
        let had_stopped = matches!(state.condition, Condition::Stopped { .. });
        if had_stopped {
            state.condition = Condition::Running;
        }
        had_stopped
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> Error {
        Error::Usage("no column named price".to_owned())
    }

    #[test]
    fn a_follower_that_has_stopped_goes_on_when_it_is_mended() {
        let status = StatusCell::default();
        assert!(!status.mended(), "it had not stopped");
        assert!(status.stop(failure(), status.mends()));
        assert!(status.stopped().is_some());
        assert!(status.mended());
        assert!(matches!(status.condition(), Condition::Running));
    }

    #[test]
    fn an_attempt_that_failed_on_what_was_mended_meanwhile_stops_nothing() {
        let status = StatusCell::default();
        let before = status.mends();
        assert!(!status.mended());
        assert!(!status.stop(failure(), before));
        assert!(status.stopped().is_none());
    }
}
