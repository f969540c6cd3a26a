//! The events of a page, and those that one batch processes.

use es_store::{Head, Notification, PoliciesMove, Recording, Tracking, UpstreamEvent};

use crate::application::Application;
use crate::follower::aside::Aside;

/// The position that a batch moves, and the policies for which it counts.
#[derive(Debug, Clone)]
pub(super) enum Lane {
    /// The position of the follower.
    Live(PoliciesMove),
    /// The position of a replay.
    Replay(PoliciesMove),
    /// The position of a rebuild.
    Rebuild(PoliciesMove),
}

impl Lane {
    /// Returns a move of the position in `upstream`, with the event at its end if that is known.
    pub(super) fn tracking(
        &self,
        upstream: &Application,
        from: u64,
        to: u64,
        event: Option<UpstreamEvent>,
    ) -> Tracking {
        let upstream = upstream.name();
        let tracking = match self.clone() {
            Self::Live(policies) | Self::Rebuild(policies) => {
                Tracking::new(upstream, from, to).policies(policies)
            }
            Self::Replay(policies) => Tracking::replay(upstream, from, to, policies),
        };
        match event {
            Some(event) => tracking.at(event),
            None => tracking,
        }
    }
}

/// Consecutive events of an upstream that a policy wants, in memory.
pub(super) struct Page {
    pub(super) lane: Lane,
    /// The position before the first event.
    pub(super) from: u64,
    /// The event at `from` when the page was read, whatever its topic.
    pub(super) start: Option<UpstreamEvent>,
    pub(super) events: Vec<Notification>,
    /// The head of the upstream, if no policy wants an event between the page and the head.
    pub(super) rest: Option<Head>,
}

impl Page {
    /// Returns the page if it is the next one of `lane` behind the position `from`.
    pub(super) fn continuing(self, lane: &Lane, from: u64) -> Option<Self> {
        let is_same = match (&self.lane, lane) {
            // Another replay has other topics.
            (Lane::Replay(one), Lane::Replay(other)) => one.expected == other.expected,
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        };
        (is_same && self.from == from).then(|| Self {
            lane: lane.clone(),
            ..self
        })
    }

    /// Returns all events. `began` is the head of the upstream when the follower began, if known.
    pub(super) fn slice<'a>(
        &'a self,
        upstream: &'a Application,
        began: Option<u64>,
    ) -> EventSlice<'a> {
        EventSlice {
            upstream,
            lane: &self.lane,
            from: self.from,
            page: &self.events,
            rest: self.rest.as_ref(),
            aside: None,
            began,
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
    pub(super) lane: &'a Lane,
    /// The position at which the batch starts, before the first event.
    pub(super) from: u64,
    pub(super) page: &'a [Notification],
    /// The head of the upstream, if no policy wants an event between the page and the head.
    pub(super) rest: Option<&'a Head>,
    /// The events among them that are passed without their policies, if there are any.
    pub(super) aside: Option<&'a Aside>,
    /// The head of the upstream when the follower began to follow it, if it is known.
    pub(super) began: Option<u64>,
}

/// Events whose policies run.
#[derive(Clone, Copy)]
pub(super) struct Offered<'a> {
    pub(super) upstream: &'a Application,
    pub(super) events: &'a [Notification],
    /// The events among them that are passed without their policies, if there are any.
    pub(super) aside: Option<&'a Aside>,
    /// The head of the upstream when the follower began to follow it, if it is known.
    pub(super) began: Option<u64>,
}

impl<'a> EventSlice<'a> {
    /// Returns the events as they are offered to the policies.
    pub(super) fn offered(self) -> Offered<'a> {
        Offered {
            upstream: self.upstream,
            events: self.page,
            aside: self.aside,
            began: self.began,
        }
    }

    /// Returns what is recorded with the first `done` events: the move of the position, and what is
    /// set aside.
    pub(super) fn recording(&self, done: usize) -> Recording {
        let recording = Recording::default().tracking(self.tracking(done));
        let changes = self.aside.map(|aside| aside.changes(&self.page[..done]));
        let changes = changes.into_iter().flatten();
        changes.fold(recording, Recording::set_aside)
    }

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
        self.lane
            .tracking(self.upstream, self.from, position, event)
    }
}

#[cfg(test)]
mod tests {
    use es_store::StoredEvent;

    use super::*;

    #[test]
    fn what_a_page_has_left_is_used_by_the_replay_that_has_read_it_alone() {
        let replay = |tag: &str| Lane::Replay(PoliciesMove::new(Some(tag.to_owned()), tag));
        let live = || Lane::Live(PoliciesMove::new(None, "Dog."));
        for (lane, from, is_used) in [
            (replay("one"), 7, true),
            (replay("one"), 8, false),
            (replay("another"), 7, false),
            (live(), 7, false),
        ] {
            let event = StoredEvent::new("one", 1, "dogschool:Dog.Registered", Vec::new());
            let left = Page {
                lane: replay("one"),
                from: 7,
                start: None,
                events: vec![Notification::new(9, event)],
                rest: None,
            };
            assert_eq!(left.continuing(&lane, from).is_some(), is_used);
        }
    }
}
