//! The cache of aggregates as they were last saved or loaded, so that a load replays only later
//! events.
//!
//! Only recorded states enter: aggregates that were saved, after the commit, and aggregates that
//! were replayed from the record. So an unsaved state is never returned. A cached state may be old
//! if another process saves, too. A load then applies the later events, unless
//! `AGGREGATE_CACHE_FASTFORWARD` is off. In that case the save of an old state conflicts, and the
//! conflict drops it from the cache.
//!
//! Concurrency: one mutex guards the entries. No code of a user runs under it: states are cloned
//! and dropped outside.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use es_core::{Aggregate, AggregateId, Root};
use es_store::sync;
use es_store::{Env, EnvError};

use crate::application::held::Held;
use crate::application::lru::Lru;

/// An aggregate of any type, at one version.
#[derive(Clone)]
pub(crate) struct CachedAggregate {
    id: AggregateId,
    version: u64,
    root: Held<Arc<dyn Any + Send + Sync>>,
}

impl CachedAggregate {
    /// Copies an aggregate whose events are all saved, or about to be. Returns `None` if its state
    /// cannot be cloned.
    pub(crate) fn of<A: Aggregate>(root: &Root<A>) -> Option<Self> {
        let root = clone_saved(root)?;
        Some(Self {
            id: root.id().clone(),
            version: root.version(),
            root: Held::new(Arc::new(root)),
        })
    }

    /// Returns a copy of the aggregate, if it is an `A`.
    pub(crate) fn get<A: Aggregate>(&self) -> Option<A> {
        let root = self.root.downcast_ref::<Root<A>>()?;
        clone_saved(root).map(A::__from_root)
    }
}

/// Clones a state. A panic of the user's `Clone` counts as a state that cannot be cloned.
pub(crate) fn clone_saved<A: Aggregate>(root: &Root<A>) -> Option<Root<A>> {
    catch_unwind(AssertUnwindSafe(|| root.__clone_saved())).unwrap_or_default()
}

/// The most recently used aggregates, up to a maximum number.
pub(crate) struct Cache {
    max: usize,
    fast_forward: bool,
    entries: Mutex<Lru<CachedAggregate>>,
}

impl Cache {
    /// Returns the cache that `env` asks for, or `None` if it asks for none.
    pub(crate) fn new(env: &Env) -> Result<Option<Self>, EnvError> {
        let max = env.number("AGGREGATE_CACHE_MAXSIZE", 0)?;
        let fast_forward = env.boolean("AGGREGATE_CACHE_FASTFORWARD", true)?;
        Ok((max > 0).then(|| Self {
            max,
            fast_forward,
            entries: Mutex::default(),
        }))
    }

    /// Returns true if a load applies the events that are newer than the cached state.
    pub(crate) fn fast_forwards(&self) -> bool {
        self.fast_forward
    }

    /// Returns a copy of the aggregate, if it is cached.
    pub(crate) fn get<A: Aggregate>(&self, id: &AggregateId) -> Option<A> {
        let found = self.entries().touch(id).cloned();
        found?.get()
    }

    /// Caches an aggregate, unless it is cached with the same or a higher version.
    pub(crate) fn put(&self, saved: CachedAggregate) {
        let dropped = put(&mut self.entries(), saved, self.max);
        drop(dropped);
    }

    /// Drops an aggregate whose cached state may be old.
    pub(crate) fn forget(&self, id: &AggregateId) {
        let dropped = self.entries().remove(id);
        drop(dropped);
    }

    /// Drops all aggregates.
    pub(crate) fn clear(&self) {
        let dropped = std::mem::take(&mut *self.entries());
        drop(dropped);
    }

    fn entries(&self) -> MutexGuard<'_, Lru<CachedAggregate>> {
        sync::lock(&self.entries)
    }
}

/// Inserts an aggregate, and returns the one that is dropped for it.
fn put(
    entries: &mut Lru<CachedAggregate>,
    saved: CachedAggregate,
    max: usize,
) -> Option<CachedAggregate> {
    let known = entries.peek(&saved.id).map_or(0, |known| known.version);
    if known >= saved.version {
        return Some(saved);
    }
    let former = entries.insert(saved.id.clone(), saved);
    if entries.len() <= max {
        return former;
    }
    entries.pop_oldest()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(id: &str, version: u64) -> CachedAggregate {
        CachedAggregate {
            id: id.into(),
            version,
            root: Held::new(Arc::new(())),
        }
    }

    #[test]
    fn the_one_not_used_for_longest_makes_room() {
        let mut entries = Lru::default();
        for id in ["a", "b", "c"] {
            put(&mut entries, saved(id, 1), 3);
        }
        entries.touch(&"a".into());
        put(&mut entries, saved("d", 1), 3);
        assert_eq!(entries.ids(), ["c", "a", "d"]);
        entries.remove(&"a".into());
        assert_eq!(entries.ids(), ["c", "d"]);
    }

    #[test]
    fn only_a_higher_version_takes_the_place_of_another() {
        let mut entries = Lru::default();
        for (version, kept) in [(3, 3), (2, 3), (4, 4), (4, 4)] {
            put(&mut entries, saved("a", version), 2);
            let found = entries.peek(&"a".into()).map(|found| found.version);
            assert_eq!(found, Some(kept));
            assert_eq!(entries.ids(), ["a"]);
        }
    }
}
