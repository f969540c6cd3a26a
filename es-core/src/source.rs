//! The source of the time and of fresh ids.
//!
//! Event methods take no clock and no id generator, so both come from the *source of the current
//! thread*. That is the system's source, unless [`with_source`] sets another one. The threads that
//! a runner starts inherit the source of the thread that started it, so a whole system can run with
//! a fixed clock and fixed ids.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::Timestamp;

/// A source of the time and of fresh ids.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source of time and ids",
    label = "needs `impl Source for {Self}`, with `now` and `fresh_id`",
    note = "`SystemSource` is the machine's clock, and `FixedSource` is for tests"
)]
pub trait Source: Send + Sync + 'static {
    /// Returns the current time, in UTC with microseconds.
    fn now(&self) -> Timestamp;

    /// Returns an id that was never returned before.
    fn fresh_id(&self) -> Uuid;

    /// Sets the clock, and returns true. Returns false if it cannot be set.
    #[doc(hidden)]
    fn __move_to(&self, to: Timestamp) -> bool {
        let _ = to;
        false
    }
}

impl Timestamp {
    /// Returns the current time, from the source of this thread.
    pub fn now() -> Self {
        now()
    }
}

/// The system's clock, and UUIDs of version 7.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemSource;

impl Source for SystemSource {
    fn now(&self) -> Timestamp {
        Timestamp::from_system_time(std::time::SystemTime::now())
    }

    fn fresh_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<dyn Source>>> = const { RefCell::new(None) };
}

/// Returns the source that was set on this thread, if there is one, to pass it to another thread.
pub fn current() -> Option<Arc<dyn Source>> {
    CURRENT.with_borrow(Clone::clone)
}

/// Runs `work` with `source` as the source of this thread, and restores the former one, also when
/// `work` panics.
///
/// `None` is the system's source.
pub fn with_source<T>(source: Option<Arc<dyn Source>>, work: impl FnOnce() -> T) -> T {
    let _former = replace(source);
    work()
}

/// The former source of this thread, which is restored on drop.
pub(crate) struct Former(Option<Arc<dyn Source>>);

impl Drop for Former {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

impl fmt::Debug for Former {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Former")
    }
}

/// Sets the source of this thread until the returned value is dropped.
pub(crate) fn replace(source: Option<Arc<dyn Source>>) -> Former {
    Former(CURRENT.replace(source))
}

/// Returns the current time, from the source of this thread.
pub fn now() -> Timestamp {
    match current() {
        Some(source) => source.now(),
        None => SystemSource.now(),
    }
}

/// Returns a fresh id, from the source of this thread.
pub fn fresh_id() -> Uuid {
    match current() {
        Some(source) => source.fresh_id(),
        None => SystemSource.fresh_id(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FixedSource;

    #[test]
    fn a_source_is_in_place_for_the_work_only_even_if_it_panics() {
        let fixed = Timestamp::from_micros(1).expect("in range");
        let source: Arc<dyn Source> = Arc::new(FixedSource::starting_at(fixed));
        let seen = with_source(Some(source.clone()), now);
        assert_eq!(seen, fixed);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            with_source(Some(source), || panic!("inside"));
        }));
        assert!(panicked.is_err());
        assert!(current().is_none());
        assert!(now() > fixed);
    }
}
