//! The lock of a rebuild.

use crate::error::StoreError;

/// A lock that keeps others from rebuilding the same tables until it is dropped.
pub struct RebuildLock {
    check: Box<dyn FnMut() -> Result<(), StoreError> + Send>,
}

impl RebuildLock {
    /// Creates a lock that is released when `lock` is dropped, and never before.
    pub fn new(lock: impl Send + 'static) -> Self {
        Self::with_check(lock, |_| Ok(()))
    }

    /// Creates a lock that is released when `lock` is dropped, or is lost before. Then `check`
    /// fails.
    pub fn with_check<L: Send + 'static>(
        lock: L,
        check: impl Fn(&mut L) -> Result<(), StoreError> + Send + 'static,
    ) -> Self {
        let mut lock = lock;
        Self {
            check: Box::new(move || check(&mut lock)),
        }
    }

    /// Checks that the lock is still held.
    ///
    /// # Errors
    /// Fails when it was lost, for example with its connection, or that cannot be found out.
    pub fn check(&mut self) -> Result<(), StoreError> {
        (self.check)()
    }
}

impl std::fmt::Debug for RebuildLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RebuildLock").finish_non_exhaustive()
    }
}
