//! The looks of a follower at its own application's log, for what others have saved there.

use std::cmp::Ordering;

use es_store::{Head, Notification, NotificationQuery, PAGE_BYTES, StoredEvent, UpstreamEvent};

use super::Kept;
use crate::application::lru::Lru;
use crate::error::Result;

/// The maximum number of events of others that are looked at one by one.
pub(super) const LOOK: usize = 1_000;

impl Kept {
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
    pub(super) fn recorded(&mut self, events: &[StoredEvent], positions: &[u64]) {
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
                (self.aggregates, self.bytes) = (Lru::default(), 0);
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
