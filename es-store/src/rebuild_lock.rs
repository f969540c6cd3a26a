//! The lock of a rebuild.

use std::any::Any;

/// A lock that keeps others from rebuilding the same tables until it is dropped.
pub struct RebuildLock {
    _lock: Box<dyn Any + Send>,
}

impl RebuildLock {
    /// Creates a lock that is released when `lock` is dropped.
    pub fn new(lock: impl Any + Send) -> Self {
        Self {
            _lock: Box::new(lock),
        }
    }
}

impl std::fmt::Debug for RebuildLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RebuildLock").finish_non_exhaustive()
    }
}
