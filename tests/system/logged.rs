//! The lines that are logged while a test works.

use tracing::{Dispatch, Subscriber, subscriber};

/// Runs `work` with a subscriber for the lines of this thread.
///
/// While there is only one subscriber, `tracing` asks the thread that comes to a line first whether
/// the line is wanted, and remembers the answer for all threads. That may be the thread of another
/// test, which has none. So there is a second subscriber meanwhile.
pub(crate) fn with_subscriber<T>(
    subscriber: impl Subscriber + Send + Sync + 'static,
    work: impl FnOnce() -> T,
) -> T {
    let _second = Dispatch::new(tracing_subscriber::fmt().finish());
    subscriber::with_default(subscriber, work)
}
