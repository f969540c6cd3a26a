//! States that the library has in its memory, and drops at a time of its own choice.

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A value with the state of an aggregate. If the user's `Drop` panics, the panic ends here: it
/// concerns nobody who happens to drop the value, and the value is gone in any case.
#[derive(Clone)]
pub(crate) struct Held<T>(Option<T>);

impl<T> Held<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// Returns the value, whose drop is the caller's from then on.
    pub(crate) fn into_inner(mut self) -> T {
        self.0.take().unwrap_or_else(|| gone())
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().unwrap_or_else(|| gone())
    }
}

/// Nobody has one without its value.
fn gone() -> ! {
    unreachable!("the value is there until it is taken out or dropped")
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        let value = self.0.take();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
            // The drop of what it has panicked with may panic, too.
            std::mem::forget(panic);
            tracing::error!("the state of an aggregate panicked when it was dropped");
        }
    }
}
