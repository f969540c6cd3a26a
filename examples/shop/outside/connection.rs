//! Connections that fail on request.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A connection to a service, whose calls can fail.
#[derive(Debug, Default)]
pub struct Connection {
    is_down: AtomicBool,
    /// The number of calls.
    calls: AtomicU64,
    /// The number of calls of which one fails; 0 if none does.
    one_fails_of: u64,
}

impl Connection {
    /// Returns a connection on which one of `calls` calls fails.
    pub fn failing(calls: u64) -> Self {
        Self {
            one_fails_of: calls,
            ..Self::default()
        }
    }

    /// Interrupts the connection, so that all calls fail.
    pub fn interrupt(&self) {
        self.is_down.store(true, Ordering::SeqCst);
    }

    /// Restores the connection.
    pub fn restore(&self) {
        self.is_down.store(false, Ordering::SeqCst);
    }

    /// Calls the service, and fails if it does not answer.
    pub(super) fn call(&self) -> Result<(), String> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let fails = call.is_multiple_of(self.one_fails_of);
        if fails || self.is_down.load(Ordering::SeqCst) {
            return Err("503 Service Unavailable".to_owned());
        }
        Ok(())
    }
}
