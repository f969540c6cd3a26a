//! A flag that is lowered by a guard.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that can be shared.
#[derive(Debug, Clone, Default)]
pub struct Flag(Arc<AtomicBool>);

/// Lowers the flag when it is dropped.
#[derive(Debug)]
pub struct RaisedFlag(Flag);

impl Flag {
    /// Raises the flag. Returns `None` if it is raised already.
    pub fn raise(&self) -> Option<RaisedFlag> {
        let was_up = self.0.swap(true, Ordering::SeqCst);
        (!was_up).then(|| RaisedFlag(self.clone()))
    }

    /// Returns true while the flag is raised.
    pub fn is_up(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for RaisedFlag {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::SeqCst);
    }
}
