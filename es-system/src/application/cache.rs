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
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use es_core::{Aggregate, AggregateId, Root};
use es_store::sync;
use es_store::{Env, EnvError};

/// An aggregate of any type, at one version.
#[derive(Clone)]
pub(crate) struct CachedAggregate {
    id: AggregateId,
    version: u64,
    root: Arc<dyn Any + Send + Sync>,
}

impl CachedAggregate {
    /// Copies an aggregate whose events are all saved, or about to be. Returns `None` if its state
    /// cannot be cloned.
    pub(crate) fn of<A: Aggregate>(aggregate: &A) -> Option<Self> {
        let root = clone_saved(aggregate.__root())?;
        Some(Self {
            id: root.id().clone(),
            version: root.version(),
            root: Arc::new(root),
        })
    }

    /// Returns a copy of the aggregate, if it is an `A`.
    pub(crate) fn get<A: Aggregate>(&self) -> Option<A> {
        let root = self.root.downcast_ref::<Root<A>>()?;
        clone_saved(root).map(A::__from_root)
    }
}

/// Clones a state. A panic of the user's `Clone` counts as a state that cannot be cloned.
fn clone_saved<A: Aggregate>(root: &Root<A>) -> Option<Root<A>> {
    catch_unwind(AssertUnwindSafe(|| root.__clone_saved())).unwrap_or_default()
}

/// The most recently used aggregates, up to a maximum number.
pub(crate) struct Cache {
    max: usize,
    fast_forward: bool,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    /// The aggregates, each with the time of its last use.
    saved: HashMap<AggregateId, (u64, CachedAggregate)>,
    /// The ids by the time of their last use; the first is the least recently used.
    used: BTreeMap<u64, AggregateId>,
    now: u64,
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
        let found = self.entries().touch(id);
        found?.get()
    }

    /// Caches an aggregate, unless it is cached with the same or a higher version.
    pub(crate) fn put(&self, saved: CachedAggregate) {
        let dropped = self.entries().put(saved, self.max);
        drop(dropped);
    }

    /// Drops an aggregate whose cached state may be old.
    pub(crate) fn forget(&self, id: &AggregateId) {
        let dropped = self.entries().take(id);
        drop(dropped);
    }

    /// Drops all aggregates.
    pub(crate) fn clear(&self) {
        let dropped = std::mem::take(&mut *self.entries());
        drop(dropped);
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        sync::lock(&self.entries)
    }
}

impl Entries {
    fn touch(&mut self, id: &AggregateId) -> Option<CachedAggregate> {
        let (_, found) = self.take(id)?;
        self.insert(found.clone());
        Some(found)
    }

    /// Inserts an aggregate, and returns the one that is dropped for it.
    fn put(&mut self, saved: CachedAggregate, max: usize) -> Option<(u64, CachedAggregate)> {
        let known = self
            .saved
            .get(&saved.id)
            .map_or(0, |(_, known)| known.version);
        if known >= saved.version {
            return Some((0, saved));
        }
        let former = self.take(&saved.id);
        self.insert(saved);
        if self.saved.len() <= max {
            return former;
        }
        let (_, oldest) = self.used.pop_first()?;
        self.saved.remove(&oldest)
    }

    fn insert(&mut self, saved: CachedAggregate) {
        self.now += 1;
        self.used.insert(self.now, saved.id.clone());
        self.saved.insert(saved.id.clone(), (self.now, saved));
    }

    fn take(&mut self, id: &AggregateId) -> Option<(u64, CachedAggregate)> {
        let (at, saved) = self.saved.remove(id)?;
        self.used.remove(&at);
        Some((at, saved))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(id: &str, version: u64) -> CachedAggregate {
        CachedAggregate {
            id: id.into(),
            version,
            root: Arc::new(()),
        }
    }

    fn ids(entries: &Entries) -> Vec<String> {
        assert_eq!(entries.saved.len(), entries.used.len());
        entries.used.values().map(ToString::to_string).collect()
    }

    #[test]
    fn the_one_not_used_for_longest_makes_room() {
        let mut entries = Entries::default();
        for id in ["a", "b", "c"] {
            entries.put(saved(id, 1), 3);
        }
        entries.touch(&"a".into());
        entries.put(saved("d", 1), 3);
        assert_eq!(ids(&entries), ["c", "a", "d"]);
        entries.take(&"a".into());
        assert_eq!(ids(&entries), ["c", "d"]);
    }

    #[test]
    fn only_a_higher_version_takes_the_place_of_another() {
        let mut entries = Entries::default();
        for (version, kept) in [(3, 3), (2, 3), (4, 4), (4, 4)] {
            entries.put(saved("a", version), 2);
            assert_eq!(entries.saved[&"a".into()].1.version, kept);
            assert_eq!(ids(&entries), ["a"]);
        }
    }
}
