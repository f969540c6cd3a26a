//! Events that were made and then dropped with their aggregate: neither saved nor looked at.
//!
//! Most often a `save` or a `collect_events` was forgotten. While a policy runs, its runner watches
//! for them on its thread; elsewhere they are passed to a hook. It cannot be told what happens to
//! an aggregate that is leaked, kept in a value that lives longer, or dropped on another thread.

use std::cell::RefCell;
use std::fmt;
use std::sync::OnceLock;

use crate::AggregateId;

/// The events of one aggregate that were dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The aggregate.
    pub id: AggregateId,
    /// The number of events.
    pub count: usize,
    /// The topic of the first event.
    pub topic: &'static str,
    /// The version of the first event.
    pub version: u64,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            count,
            topic,
            version,
        } = self;
        write!(
            f,
            "aggregate {id} was changed and dropped, with {count} new events from `{topic}` at version {version} on"
        )
    }
}

thread_local! {
    static WATCHED: RefCell<Option<Vec<Dropped>>> = const { RefCell::new(None) };
}

static HOOK: OnceLock<fn(&Dropped)> = OnceLock::new();

/// Runs `work`. Returns its result, and the events that it has dropped on this thread.
pub fn watch<T>(work: impl FnOnce() -> T) -> (T, Vec<Dropped>) {
    struct PutBack(Option<Vec<Dropped>>);
    impl Drop for PutBack {
        fn drop(&mut self) {
            WATCHED.set(self.0.take());
        }
    }
    let _former = PutBack(WATCHED.replace(Some(Vec::new())));
    let done = work();
    (done, WATCHED.take().unwrap_or_default())
}

/// Sets the function that is called for events that are dropped while nobody watches. The first
/// call wins.
pub fn on_unwatched(hook: fn(&Dropped)) {
    let _set_before = HOOK.set(hook);
}

/// Reports dropped events. A panic has a report of its own.
pub(crate) fn report(dropped: Dropped) {
    if std::thread::panicking() {
        return;
    }
    // At the end of a thread there may be no thread-local value any more.
    let unwatched = WATCHED.try_with(|watched| match &mut *watched.borrow_mut() {
        Some(watched) => {
            watched.push(dropped);
            None
        }
        None => Some(dropped),
    });
    if let (Ok(Some(dropped)), Some(hook)) = (unwatched, HOOK.get()) {
        hook(&dropped);
    }
}
