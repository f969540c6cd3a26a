//! The question what becomes of the events that an added policy has missed.

use es_store::{Notification, NotificationQuery, PAGE_BYTES};

use crate::error::{Error, Result};
use crate::follower::batch::BATCH_EVENTS;
use crate::follower::edge::Edge;
use crate::follower::policies::Missed;

impl Edge {
    /// Returns the error that asks what becomes of the missed events up to `position`, or `None` if
    /// there are none.
    pub(super) fn refusal(&self, missed: &Missed, position: u64) -> Result<Option<Error>> {
        let Some(first) = self.first_missed(missed, position)? else {
            return Ok(None);
        };
        let topic = missed.added_for(&first.topic).unwrap_or(&first.topic);
        let upstream = self.upstream.name();
        let choices = if self.processor.policies.is_projection {
            "rebuild the projection (`runner.rebuild`) to have them processed in order, or write \
             `added = now` in its `#[policy(..)]`, to begin with the events to come"
        } else {
            "write `added = replay` in its `#[policy(..)]` to have them processed first, or \
             `added = now` to begin with the events to come"
        };
        let problem = format!(
            "the policy for `{topic}` was added when `{upstream}` was processed up to position \
             {position}, and has missed events in front of it, the first at position {}: {choices}",
            first.id
        );
        Ok(Some(Error::configuration(self.processor.name(), problem)))
    }

    fn first_missed(&self, missed: &Missed, position: u64) -> Result<Option<Notification>> {
        let log = self.upstream.notification_log();
        let mut from = missed.start();
        // Mostly the first event of these topics is one of them, or there is none.
        let mut limit = 1;
        loop {
            let query = NotificationQuery::after(from)
                .up_to(position)
                .limit(limit)
                .byte_limit(PAGE_BYTES)
                .filter(missed.filter());
            let page = log.query(&query)?;
            let last = page.last().map(|event| event.id);
            let is_full = query.is_filled_by(&page);
            let mut events = page.into_iter();
            if let Some(found) = events.find(|event| missed.contains(&event.topic, event.id)) {
                return Ok(Some(found));
            }
            match last {
                Some(last) if is_full => from = last,
                _ => return Ok(None),
            }
            limit = BATCH_EVENTS;
        }
    }
}
