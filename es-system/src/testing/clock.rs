//! The time in tests: one clock for all parts of a test.

use std::sync::Arc;

use es_core::source::{Source, SystemSource};
use es_core::testing::FixedSource;
use es_core::{Timestamp, source};
use uuid::Uuid;

/// The source of time and ids of a part of a test: that of the caller, or else one that begins at
/// the first moment of 2024.
#[derive(Clone)]
pub(super) struct TestSource(Arc<dyn Source>);

impl TestSource {
    /// Returns the source of the caller, or one whose ids count from 1.
    pub(super) fn counting_ids() -> Self {
        Self::or_else(|fixed| Arc::new(fixed))
    }

    /// Returns the source of the caller, or one with the ids of the system. Such ids meet none of
    /// those that a test makes up or a store has already.
    pub(super) fn with_fresh_ids() -> Self {
        Self::or_else(|fixed| Arc::new(FreshIds(fixed)))
    }

    fn or_else(make: impl FnOnce(FixedSource) -> Arc<dyn Source>) -> Self {
        const START_OF_2024: i64 = 1_704_067_200_000_000;
        let start = Timestamp::from_micros(START_OF_2024).unwrap_or(Timestamp::MIN);
        Self(source::current().unwrap_or_else(|| make(FixedSource::starting_at(start))))
    }

    pub(super) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        source::with_source(Some(self.0.clone()), work)
    }

    /// Sets the clock.
    #[track_caller]
    pub(super) fn move_to(&self, time: Timestamp) {
        assert!(
            self.0.__move_to(time),
            "the clock of this test cannot be set: use `Clock` or `FixedSource`"
        );
    }
}

/// A clock that can be set, with the ids of the system.
struct FreshIds(FixedSource);

impl Source for FreshIds {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn fresh_id(&self) -> Uuid {
        SystemSource.fresh_id()
    }

    fn __move_to(&self, to: Timestamp) -> bool {
        self.0.__move_to(to)
    }
}
