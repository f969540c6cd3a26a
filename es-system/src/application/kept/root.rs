//! Aggregates of any type, as they are kept.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use es_core::{Aggregate, AggregateId, Root};
use es_store::Mapper;

use crate::application::cache::CachedAggregate;
use crate::application::held::Held;

/// An aggregate that is in memory between two policies.
pub(crate) type HeldRoot = Held<Box<dyn KeptRoot>>;

/// An aggregate of any type, without pending events.
pub(crate) trait KeptRoot: Any + Send + Sync {
    fn id(&self) -> &AggregateId;

    fn version(&self) -> u64;

    /// Returns a copy for the cache, if the state can be cloned.
    fn cached(&self) -> Option<CachedAggregate>;

    /// Returns the bytes of the state as a snapshot has them, or `None` if it cannot be stored.
    fn state_bytes(&self, mapper: &Mapper) -> Option<usize>;
}

impl<A: Aggregate> KeptRoot for Root<A> {
    fn id(&self) -> &AggregateId {
        Root::id(self)
    }

    fn version(&self) -> u64 {
        Root::version(self)
    }

    fn cached(&self) -> Option<CachedAggregate> {
        CachedAggregate::of(self)
    }

    fn state_bytes(&self, mapper: &Mapper) -> Option<usize> {
        let measure = || mapper.state_bytes::<A>(self.state());
        catch_unwind(AssertUnwindSafe(measure)).unwrap_or_default()
    }
}

/// Returns an aggregate as it is kept.
pub(crate) fn held<A: Aggregate>(root: Root<A>) -> HeldRoot {
    Held::new(Box::new(root))
}
