//! The aggregates that a follower keeps in memory from batch to batch, so that a long one is not
//! replayed for each batch. It does so without being asked.
//!
//! Policies get the aggregates themselves, and no copies: an aggregate is moved out of here when a
//! policy gets it, and comes back when the policy drops it. So a state need not be `Clone`. These
//! rules make a kept aggregate as good as one that is loaded:
//!
//! - Only what is committed is kept. The aggregates are in the hands of the batch while it runs,
//!   and come here after its commit. After a batch that failed, was fenced or is in doubt none do.
//! - Others write to the application as well: commands, and other instances of the follower. A
//!   policy may decide by an aggregate that it does not change, which no version check of the store
//!   judges. So each batch reads the application's own log, from where the last one looked up to
//!   the head, before its first policy gets an aggregate. An aggregate that others have saved since
//!   then is behind, and gets their events when it is asked for. The look comes after the page of
//!   the upstream was read: whatever was saved here before an event of the page was recorded there,
//!   is seen by the policy of that event.
//! - A policy may write to the application itself, by a second object of it. Such a save ends the
//!   look, and the next load begins with another one.
//! - Only aggregates of this application are kept. One that a policy has changed is kept if this
//!   batch has lent it, or if its new events alone have made it.
//! - If the log has another event than before where the last look ended, or behind what was loaded
//!   since then, or none, then it has lost commits, and nothing is kept. Nor is anything if there
//!   are too many events to look at.
//!
//! The repository's cache is another thing: it belongs to the application, serves all threads with
//! copies, and is asked for by the environment. A policy gets what is kept, and only otherwise what
//! is cached; the cache gets a copy of what a batch has changed, after the commit. A state from a
//! cache that does not look for newer events is not kept, because it may be older than the look.

mod look;
mod root;
mod size;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::time::Duration;

use es_core::AggregateId;
use es_store::{Head, Mapper, PAGE_BYTES, StoredEvent};

use crate::application::cache::CachedAggregate;
use crate::application::lru::Lru;

pub(crate) use self::root::{HeldRoot, held};
pub(crate) use self::size::Size;

/// The maximum number of aggregates that are kept.
const MAX: usize = 1_000;
/// The maximum number of bytes of all of them, but for the last used ones.
const MAX_BYTES: usize = 4 * PAGE_BYTES;
/// The number of the last used aggregates that are kept, however large they are.
const LAST_USED: usize = 8;

/// The aggregates that are kept, and those that the policies of a batch have in their hands.
///
/// Their number is limited by [`MAX`] and [`MAX_BYTES`] at any time, within a batch as between two.
/// The least recently used ones are dropped, and whoever asks for one of them loads it again.
/// But the [`LAST_USED`] ones stay in any case. Of aggregates that are larger than the limit
/// together, each would otherwise drop the others, and each event would replay one: a follower of a
/// few long aggregates would stall. Whoever works on so large ones has the memory for one of them,
/// so a small number of them is the price. It is paid only by those: the limit is that of a few
/// pages, and a program with small aggregates never has more than that.
#[derive(Default)]
pub(crate) struct Kept {
    aggregates: Lru<KeptAggregate>,
    /// The bytes of all of them.
    bytes: usize,
    /// The time that the policies of the batch have waited for those that are here.
    waited: Duration,
    /// The aggregates that were asked for in this batch and were not here.
    missed: HashSet<AggregateId>,
    /// The event of the application's own log at which the last look ended; its position is 0 if
    /// the log was empty. `None` before the first look.
    seen: Option<Head>,
    /// A later event of the log, behind all that was loaded since then. If the log has lost it, it
    /// may have lost what was loaded, too. `None` if nothing was.
    known: Option<Head>,
    /// The number of events behind it that the follower itself has recorded.
    own: usize,
}

/// One aggregate that is kept, or that a policy has in its hands.
#[derive(Default)]
pub(crate) struct KeptAggregate {
    /// The aggregate, unless a policy has it.
    root: Option<HeldRoot>,
    size: Size,
    /// The time that its first load in this batch has taken.
    load: Duration,
    /// True if the load is counted as waiting, because the aggregate came back.
    is_load_counted: bool,
    /// True if others have saved events behind its version.
    is_behind: bool,
    /// True if a policy has asked for it. One that is only made is not kept.
    is_asked_for: bool,
    /// True if a policy has got it, and has not given it back.
    is_lent: bool,
    /// True if it was loaded since the last look, so that it may be of a later moment.
    is_loaded: bool,
    /// True if a policy of this batch gets it while one has it already. Then a copy stays here, if
    /// one can be made.
    is_copied: bool,
}

/// An aggregate that a policy gets.
pub(crate) struct Taken {
    pub(crate) root: HeldRoot,
    /// True if others have saved events behind its version.
    pub(crate) is_behind: bool,
    /// True if a copy of it should stay.
    pub(crate) is_copied: bool,
}

/// A load of an aggregate for a policy.
pub(crate) struct Load {
    /// The version behind which it was loaded, or 0 if it was loaded as a whole.
    pub(crate) base: u64,
    /// The size of what was loaded.
    pub(crate) size: Size,
    /// The time that it has taken.
    pub(crate) time: Duration,
}

/// Aggregates that are kept no longer. They are to be dropped while nothing is borrowed.
pub(crate) type Dropped = Vec<KeptAggregate>;

impl From<HeldRoot> for KeptAggregate {
    fn from(root: HeldRoot) -> Self {
        Self {
            root: Some(root),
            ..Self::default()
        }
    }
}

impl Kept {
    /// Takes an aggregate out for a policy, if it is there.
    pub(crate) fn take(&mut self, id: &AggregateId) -> Option<Taken> {
        let Some(kept) = self.aggregates.touch(id) else {
            self.missed.insert(id.clone());
            return None;
        };
        kept.is_asked_for = true;
        let Some(root) = kept.root.take() else {
            kept.is_copied |= kept.is_lent;
            return None;
        };
        kept.is_lent = true;
        Some(Taken {
            root,
            is_behind: std::mem::take(&mut kept.is_behind),
            is_copied: kept.is_copied,
        })
    }

    /// Records that a policy has an aggregate that was loaded.
    pub(crate) fn lent(&mut self, id: &AggregateId, load: &Load) -> Dropped {
        let kept = self.aggregates.entry(id);
        kept.is_asked_for = true;
        kept.is_lent = true;
        kept.is_loaded = true;
        if kept.load.is_zero() && !kept.is_load_counted {
            kept.load = load.time;
        }
        self.resize(id, |size| match load.base {
            0 => *size = load.size,
            _ => size.bytes += load.size.bytes,
        });
        self.shrink()
    }

    /// Records that a policy has changed an aggregate by events of this many bytes. `copy` is what
    /// it is now, if a copy was made.
    pub(crate) fn changed(&mut self, id: &AggregateId, bytes: usize, copy: Option<HeldRoot>) {
        let is_asked_for = self.missed.remove(id);
        let kept = self.aggregates.entry(id);
        kept.is_asked_for |= is_asked_for;
        kept.is_lent = true;
        kept.root = copy;
        self.resize(id, |size| size.bytes += bytes);
    }

    /// Returns true if the state of an aggregate at this version is to be measured.
    pub(crate) fn is_measure_due(&self, id: &AggregateId, version: u64) -> bool {
        let kept = self.aggregates.peek(id);
        kept.is_some_and(|kept| kept.size.is_due(version))
    }

    /// Sets the bytes of a state at this version; `None` if it cannot be stored.
    pub(crate) fn measured(&mut self, id: &AggregateId, version: u64, bytes: Option<usize>) {
        self.resize(id, |size| size.measured(version, bytes));
    }

    /// Takes back an aggregate from a policy, unless the same version is there already, or a higher
    /// one.
    pub(crate) fn give_back(&mut self, id: &AggregateId, root: HeldRoot) -> Dropped {
        let Some(kept) = self.aggregates.peek_mut(id) else {
            return vec![KeptAggregate::from(root)];
        };
        kept.is_lent = false;
        if !std::mem::replace(&mut kept.is_load_counted, true) {
            self.waited += kept.load;
        }
        let dropped = match &kept.root {
            Some(other) if other.version() >= root.version() => Some(root),
            _ => kept.root.replace(root),
        };
        let mut dropped: Dropped = dropped.into_iter().map(KeptAggregate::from).collect();
        dropped.append(&mut self.shrink());
        dropped
    }

    /// Returns true if copies of the aggregate are wanted.
    pub(crate) fn is_copied(&self, id: &AggregateId) -> bool {
        self.aggregates.peek(id).is_some_and(|kept| kept.is_copied)
    }

    /// Returns a copy for the cache, if the aggregate is there and can be cloned.
    pub(crate) fn cached(&self, id: &AggregateId) -> Option<CachedAggregate> {
        self.aggregates.peek(id)?.root.as_ref()?.cached()
    }

    /// Returns the time that the policies of the batch have waited for aggregates that are here, so
    /// that the next batch need not load them.
    pub(crate) fn waited(&self) -> Duration {
        self.waited
    }

    /// Removes an aggregate: its events are undone, or its state is not known.
    pub(crate) fn remove(&mut self, id: &AggregateId) -> Option<KeptAggregate> {
        let removed = self.aggregates.remove(id)?;
        self.removed(&removed);
        Some(removed)
    }

    fn removed(&mut self, removed: &KeptAggregate) {
        self.bytes -= removed.size.bytes;
        if removed.is_load_counted {
            self.waited -= removed.load;
        }
    }

    fn resize(&mut self, id: &AggregateId, resize: impl FnOnce(&mut Size)) {
        if let Some(kept) = self.aggregates.peek_mut(id) {
            self.bytes -= kept.size.bytes;
            resize(&mut kept.size);
            self.bytes += kept.size.bytes;
        }
    }

    /// Removes the least recently used aggregates beyond the limits.
    fn shrink(&mut self) -> Dropped {
        let mut dropped = Vec::new();
        while self.aggregates.len() > MAX
            || (self.bytes > MAX_BYTES && self.aggregates.len() > LAST_USED)
        {
            let Some(oldest) = self.aggregates.pop_oldest() else {
                break;
            };
            self.removed(&oldest);
            dropped.push(oldest);
        }
        dropped
    }

    /// Keeps what policies have asked for and given back, within the limits, after the commit of
    /// the batch that has recorded `events` at `positions`.
    pub(crate) fn settle(&mut self, mapper: &Mapper, events: &[StoredEvent], positions: &[u64]) {
        self.recorded(events, positions);
        self.missed.clear();
        self.waited = Duration::ZERO;
        self.bytes = 0;
        self.aggregates
            .retain(|kept| kept.is_asked_for && kept.root.is_some());
        for kept in self.aggregates.values_mut() {
            kept.is_copied = false;
            (kept.load, kept.is_load_counted) = (Duration::ZERO, false);
            let size = &mut kept.size;
            if let Some(root) = kept
                .root
                .as_ref()
                .filter(|root| size.is_due(root.version()))
            {
                size.measured(root.version(), root.state_bytes(mapper));
            }
            self.bytes += kept.size.bytes;
        }
        drop(self.shrink());
    }
}
