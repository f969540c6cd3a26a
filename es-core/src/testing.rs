//! Tools for tests: a predictable clock and predictable ids.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use uuid::Uuid;

use crate::Timestamp;
use crate::source::Source;

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
}

impl Source for FixedSource {
    fn now(&self) -> Timestamp {
        let micros = self.micros.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_micros(micros).unwrap_or(Timestamp::MAX)
    }

    fn fresh_id(&self) -> Uuid {
        Uuid::from_u128(self.ids.fetch_add(1, Ordering::Relaxed).into())
    }
}
