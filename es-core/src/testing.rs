//! Tools for tests: a predictable clock and predictable ids.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use uuid::Uuid;

use crate::Timestamp;
use crate::source::{self, Source};

/// A source whose clock advances by one microsecond with each call, and whose ids count from 1.
///
/// ```
/// use std::sync::Arc;
/// use es_core::{Timestamp, source, testing::FixedSource};
///
/// let start: Timestamp = "2024-01-02T03:04:05+00:00".parse()?;
/// let fixed = Arc::new(FixedSource::starting_at(start));
/// source::with_source(Some(fixed), || {
///     assert_eq!(source::now(), start);
///     assert_eq!(source::now().to_string(), "2024-01-02T03:04:05.000001+00:00");
///     assert_eq!(source::fresh_id().as_u128(), 1);
/// });
/// # Ok::<(), es_core::TimestampError>(())
/// ```
#[derive(Debug)]
pub struct FixedSource {
    micros: AtomicI64,
    ids: AtomicU64,
}

impl FixedSource {
    /// Creates a source whose first time is `start`, and whose first id is 1.
    pub fn starting_at(start: Timestamp) -> Self {
        Self {
            micros: AtomicI64::new(start.as_micros()),
            ids: AtomicU64::new(1),
        }
    }

    /// Moves the clock forward by `by`, in whole microseconds; at most to [`Timestamp::MAX`].
    pub fn advance(&self, by: Duration) {
        // Concurrency: a time that another thread takes meanwhile is from before or after the move.
        let moved = |micros| Some((timestamp(micros) + by).as_micros());
        let _always_moved = self
            .micros
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved);
    }

    /// Sets the clock to `to`, which may be in its past.
    pub fn move_to(&self, to: Timestamp) {
        self.micros.store(to.as_micros(), Ordering::Relaxed);
    }
}

fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap_or(Timestamp::MAX)
}

impl Source for FixedSource {
    fn now(&self) -> Timestamp {
        timestamp(self.micros.fetch_add(1, Ordering::Relaxed))
    }

    fn fresh_id(&self) -> Uuid {
        Uuid::from_u128(self.ids.fetch_add(1, Ordering::Relaxed).into())
    }

    fn __move_to(&self, to: Timestamp) -> bool {
        self.move_to(to);
        true
    }
}

/// The clock of a test. Until it is dropped, this thread and the runners that are started on it
/// take times and ids from its [`FixedSource`].
///
/// ```
/// use std::time::Duration;
/// use es_core::{Timestamp, source, testing::Clock};
///
/// let clock = Clock::starting_at("2024-01-02T03:04:05+00:00".parse()?);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(Timestamp::now().to_string(), "2024-01-02T03:05:05+00:00");
/// clock.move_to("2024-02-01T00:00:00+00:00".parse()?);
/// assert_eq!(Timestamp::now().to_string(), "2024-02-01T00:00:00+00:00");
/// drop(clock);
/// assert!(source::current().is_none());
/// # Ok::<(), es_core::TimestampError>(())
/// ```
#[derive(Debug)]
#[must_use = "the clock is in place until it is dropped"]
pub struct Clock {
    source: Arc<FixedSource>,
    _former: source::Former,
    /// The source is that of a thread, so the clock stays on it.
    _of_thread: PhantomData<*const ()>,
}

impl Clock {
    /// Puts a clock in place, whose first time is `start`, and whose first id is 1.
    pub fn starting_at(start: Timestamp) -> Self {
        let source = Arc::new(FixedSource::starting_at(start));
        Self {
            _former: source::replace(Some(source.clone())),
            source,
            _of_thread: PhantomData,
        }
    }

    /// Moves the clock forward by `by`, in whole microseconds; at most to [`Timestamp::MAX`].
    pub fn advance(&self, by: Duration) {
        self.source.advance(by);
    }

    /// Sets the clock to `to`, which may be in its past.
    pub fn move_to(&self, to: Timestamp) {
        self.source.move_to(to);
    }
}
