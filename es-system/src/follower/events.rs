//! The events of a page, and those that one batch processes.

use es_store::{Head, Notification, Tracking, UpstreamEvent};

use crate::application::Application;

/// Consecutive events of an upstream that a policy wants, in memory.
pub(super) struct Page {
    /// The position before the first event.
    pub(super) from: u64,
    /// The event at `from` when the page was read, whatever its topic.
    pub(super) start: Option<UpstreamEvent>,
    pub(super) events: Vec<Notification>,
    /// The head of the upstream, if no policy wants an event between the page and the head.
    pub(super) rest: Option<Head>,
}

impl Page {
    pub(super) fn slice<'a>(&'a self, upstream: &'a Application) -> EventSlice<'a> {
        EventSlice {
            upstream,
            from: self.from,
            page: &self.events,
            rest: self.rest.as_ref(),
        }
    }

    /// Returns the events behind the first `done`, or `None` if there are none. They begin at the
    /// position `to`, which is recorded.
    pub(super) fn behind(mut self, done: usize, to: u64) -> Option<Self> {
        self.from = to;
        if let Some(last) = self.events.drain(..done).next_back() {
            self.start = Some(UpstreamEvent::from(&last.event));
        }
        (!self.events.is_empty()).then_some(self)
    }
}

/// Consecutive events of an upstream that a policy wants.
#[derive(Clone, Copy)]
pub(super) struct EventSlice<'a> {
    pub(super) upstream: &'a Application,
    /// The position at which the batch starts, before the first event.
    pub(super) from: u64,
    pub(super) page: &'a [Notification],
    /// The head of the upstream, if no policy wants an event between the page and the head.
    pub(super) rest: Option<&'a Head>,
}

impl<'a> EventSlice<'a> {
    /// Returns the first `count` of them.
    pub(super) fn first(self, count: usize) -> Self {
        Self {
            page: &self.page[..count],
            rest: self.rest.filter(|_| count == self.page.len()),
            ..self
        }
    }

    /// Returns the move of the position past the first `done` events.
    pub(super) fn tracking(&self, done: usize) -> Tracking {
        let last = done.checked_sub(1).and_then(|last| self.page.get(last));
        match (self.rest.filter(|_| done == self.page.len()), last) {
            (Some(head), _) => self.to(head.position, head.event.clone()),
            (None, Some(last)) => self.to(last.id, Some(UpstreamEvent::from(&last.event))),
            (None, None) => self.to(self.from, None),
        }
    }

    fn to(&self, position: u64, event: Option<UpstreamEvent>) -> Tracking {
        tracking(self.upstream, self.from, position, event)
    }
}

/// Returns a move of the position in `upstream`, with the event at its end if that is known.
pub(super) fn tracking(
    upstream: &Application,
    from: u64,
    to: u64,
    event: Option<UpstreamEvent>,
) -> Tracking {
    let tracking = Tracking::new(upstream.name(), from, to);
    match event {
        Some(event) => tracking.at(event),
        None => tracking,
    }
}
