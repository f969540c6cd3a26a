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
//! - If the log has another event than before where the last look ended, or behind what was loaded
//!   since then, or none, then it has lost commits, and nothing is kept. Nor is anything if there
//!   are too many events to look at.
//!
//! The repository's cache is another thing: it belongs to the application, serves all threads with
//! copies, and is asked for by the environment. A policy gets what is kept, and only otherwise what
//! is cached; the cache gets a copy of what a batch has changed, after the commit. A state from a
//! cache that does not look for newer events is not kept, because it may be older than the look.

#[cfg(test)]
mod tests;

use std::any::Any;
use std::cmp::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};

use es_core::{Aggregate, AggregateId, Root};
use es_store::{
    Head, Mapper, Notification, NotificationQuery, PAGE_BYTES, StoredEvent, UpstreamEvent,
};

use crate::application::cache::CachedAggregate;
use crate::application::lru::Lru;
use crate::error::Result;

/// The maximum number of aggregates that are kept.
const MAX: usize = 1_000;
/// The maximum number of bytes of all of them. The one that was used last is kept in any case.
const MAX_BYTES: usize = 2 * PAGE_BYTES;
/// The number of bytes by which an aggregate has to grow before its state is measured again.
const MEASURED: usize = 64 * 1024;
/// The maximum number of events of others that are looked at one by one.
const LOOK: usize = 1_000;

/// The aggregates that are kept.
#[derive(Default)]
pub(crate) struct Kept {
    aggregates: Lru<KeptAggregate>,
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
    root: Option<Box<dyn KeptRoot>>,
    size: Size,
    /// True if others have saved events behind its version.
    is_behind: bool,
    /// True if a policy has asked for it. One that is only made is not kept.
    is_asked_for: bool,
    /// True if a policy has got it, and has not given it back.
    is_lent: bool,
    /// True if it was loaded since the last look, so that it may be of a later moment.
    is_loaded: bool,
    /// True if a policy gets it while one has it already. Then a copy stays here, if one can be
    /// made.
    is_copied: bool,
}

/// An aggregate of any type, without pending events.
pub(crate) trait KeptRoot: Any + Send + Sync {
    fn version(&self) -> u64;

    /// Returns a copy for the cache, if the state can be cloned.
    fn cached(&self) -> Option<CachedAggregate>;

    /// Returns the bytes of the state as a snapshot has them, or `None` if it cannot be stored.
    fn state_bytes(&self, mapper: &Mapper) -> Option<usize>;
}

impl<A: Aggregate> KeptRoot for Root<A> {
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

/// The size of an aggregate in memory, which nothing tells exactly. The bytes of its state as it is
/// stored stand for it, if it can be stored: a counter is small, however many events it has. They
/// are measured again when its new events are many.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Size {
    bytes: usize,
    /// The size when the state was measured last.
    measured: usize,
}

impl Size {
    /// Returns the size of a state of which nothing is known, until it is measured.
    pub(crate) fn unknown() -> Self {
        Self::of(MEASURED)
    }

    /// Returns the size of an aggregate that was made of this many bytes.
    pub(crate) fn of(bytes: usize) -> Self {
        Self { bytes, measured: 0 }
    }

    fn measure(&mut self, root: &dyn KeptRoot, mapper: &Mapper) {
        let grown = self.bytes.saturating_sub(self.measured);
        if self.measured > 0 && grown <= self.measured.max(MEASURED) {
            return;
        }
        if let Some(bytes) = root.state_bytes(mapper) {
            self.bytes = bytes;
        }
        self.measured = self.bytes;
    }
}

/// An aggregate that a policy gets.
pub(crate) struct Taken {
    pub(crate) root: Box<dyn KeptRoot>,
    /// True if others have saved events behind its version.
    pub(crate) is_behind: bool,
    /// True if a copy of it should stay.
    pub(crate) is_copied: bool,
}

impl Kept {
    /// Takes an aggregate out for a policy, if it is there.
    pub(crate) fn take(&mut self, id: &AggregateId) -> Option<Taken> {
        self.aggregates.entry(id).is_asked_for = true;
        let kept = self.aggregates.touch(id)?;
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

    /// Records that a policy has an aggregate that was loaded behind the version `base`, or as a
    /// whole if that is 0.
    pub(crate) fn lent(&mut self, id: &AggregateId, base: u64, size: Size) {
        let kept = self.aggregates.entry(id);
        kept.is_asked_for = true;
        kept.is_lent = true;
        kept.is_loaded = true;
        if base == 0 {
            kept.size = size;
        } else {
            kept.size.bytes += size.bytes;
        }
    }

    /// Records that a policy has changed an aggregate by events of this many bytes. `copy` is what
    /// it is now, if a copy was made.
    pub(crate) fn changed(
        &mut self,
        id: &AggregateId,
        bytes: usize,
        copy: Option<Box<dyn KeptRoot>>,
    ) {
        let kept = self.aggregates.entry(id);
        kept.size.bytes += bytes;
        kept.is_lent = true;
        kept.root = copy;
    }

    /// Takes back an aggregate from a policy, unless the same version is there already, or a higher
    /// one. Returns what is to be dropped.
    pub(crate) fn give_back(
        &mut self,
        id: &AggregateId,
        root: Box<dyn KeptRoot>,
    ) -> Option<Box<dyn KeptRoot>> {
        match self.aggregates.peek_mut(id) {
            None => Some(root),
            Some(kept) => {
                kept.is_lent = false;
                match &kept.root {
                    Some(other) if other.version() >= root.version() => Some(root),
                    _ => kept.root.replace(root),
                }
            }
        }
    }

    /// Returns true if copies of the aggregate are wanted.
    pub(crate) fn is_copied(&self, id: &AggregateId) -> bool {
        self.aggregates.peek(id).is_some_and(|kept| kept.is_copied)
    }

    /// Returns a copy for the cache, if the aggregate is there and can be cloned.
    pub(crate) fn cached(&self, id: &AggregateId) -> Option<CachedAggregate> {
        self.aggregates.peek(id)?.root.as_ref()?.cached()
    }

    /// Drops an aggregate whose events are undone.
    pub(crate) fn undo(&mut self, id: &AggregateId) {
        self.aggregates.remove(id);
    }

    /// Keeps what policies have asked for and given back, within the limits, after the commit of
    /// the batch that has recorded `events` at `positions`.
    pub(crate) fn settle(&mut self, mapper: &Mapper, events: &[StoredEvent], positions: &[u64]) {
        self.recorded(events, positions);
        self.aggregates
            .retain(|kept| kept.is_asked_for && kept.root.is_some());
        let mut bytes = 0;
        for kept in self.aggregates.values_mut() {
            if let Some(root) = &kept.root {
                kept.size.measure(&**root, mapper);
            }
            bytes += kept.size.bytes;
        }
        while self.aggregates.len() > MAX || (bytes > MAX_BYTES && self.aggregates.len() > 1) {
            let Some(dropped) = self.aggregates.pop_oldest() else {
                break;
            };
            bytes -= dropped.size.bytes;
        }
    }

    /// Returns true if something was loaded that may be of a later moment than the end of the last
    /// look, and no event that is known is behind it.
    pub(crate) fn needs_head(&self) -> bool {
        self.aggregates.values().any(|kept| kept.is_loaded)
    }

    /// Records the head of the application's own log after everything was loaded.
    pub(crate) fn know(&mut self, head: Option<Head>) {
        self.known = head;
        self.aggregates
            .values_mut()
            .for_each(|kept| kept.is_loaded = false);
    }

    /// Moves the end of the last look past the follower's own events, if no others are between.
    /// They were recorded after everything was loaded.
    fn recorded(&mut self, events: &[StoredEvent], positions: &[u64]) {
        let (Some(event), Some(last)) = (events.last(), positions.last()) else {
            return;
        };
        self.know(Some(Head::new(*last, Some(UpstreamEvent::from(event)))));
        let Some(seen) = &mut self.seen else {
            return;
        };
        let expected = (seen.position + 1..).take(positions.len());
        if positions.len() != events.len() || !expected.eq(positions.iter().copied()) {
            self.own = self.own.saturating_add(positions.len());
            return;
        }
        let position = seen.position + positions.len() as u64;
        *seen = Head::new(position, Some(UpstreamEvent::from(event)));
    }

    /// Looks at the application's own log, which ends with `head` now. `between` reads it from the
    /// end of the last look to the head. It returns `None` if what is read is damaged.
    pub(crate) fn look(
        &mut self,
        head: Option<Head>,
        between: impl FnOnce(&NotificationQuery) -> Result<Option<Vec<Notification>>>,
    ) -> Result<()> {
        let head = head.unwrap_or_else(|| Head::new(0, None));
        let known = self.known.take();
        if let (Some(seen), true) = (self.seen.take(), self.aggregates.len() > 0) {
            let known = known.unwrap_or_else(|| seen.clone());
            let is_same = match head.position.cmp(&seen.position.max(known.position)) {
                Ordering::Less => false,
                Ordering::Equal if known.position == seen.position => {
                    may_be(head.event.as_ref(), seen.event.as_ref())
                }
                Ordering::Equal | Ordering::Greater => {
                    let query = NotificationQuery::from(seen.position)
                        .up_to(head.position)
                        .limit(1 + LOOK + self.own.min(LOOK))
                        .byte_limit(PAGE_BYTES);
                    let page = between(&query)?;
                    page.is_some_and(|page| {
                        !query.is_filled_by(&page) && self.see(&seen, &known, &page)
                    })
                }
            };
            if !is_same {
                self.aggregates = Lru::default();
            }
        }
        self.seen = Some(head);
        self.own = 0;
        Ok(())
    }

    /// Marks the aggregates that others have saved. Returns false if the log is another than the
    /// one that was seen before.
    fn see(&mut self, seen: &Head, known: &Head, page: &[Notification]) -> bool {
        for event in page {
            if let Some(kept) = self.aggregates.peek_mut(&event.originator_id) {
                let version = kept.root.as_ref().map(|root| root.version());
                kept.is_behind |= version.is_some_and(|known| known < event.originator_version);
            }
        }
        has(page, seen) && has(page, known)
    }
}

/// Returns true if the event, which was seen before, is in the page of the log.
fn has(page: &[Notification], seen: &Head) -> bool {
    let found = page.iter().find(|found| found.id == seen.position);
    match found {
        Some(found) => may_be(
            Some(&UpstreamEvent::from(&found.event)),
            seen.event.as_ref(),
        ),
        None => seen.position == 0,
    }
}

/// Returns false if the two are different events, as far as both are known.
fn may_be(one: Option<&UpstreamEvent>, other: Option<&UpstreamEvent>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.may_be(other),
        (None, None) => true,
        _ => false,
    }
}
