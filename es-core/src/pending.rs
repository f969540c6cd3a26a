//! The events of an aggregate that are not saved yet.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::dropped::{self, Dropped};
use crate::{AggregateId, EventSet, PendingEvent};

/// The pending events of an aggregate. Those that nobody has read are reported when they are
/// dropped.
pub(crate) struct Pending<E: EventSet> {
    /// The aggregate, once there is an event.
    id: Option<AggregateId>,
    events: Vec<PendingEvent<E>>,
    /// True if the events were read since the last one was added. Concurrency: the flag stands
    /// alone, so no order with other values matters.
    is_read: AtomicBool,
}

impl<E: EventSet> Pending<E> {
    pub(crate) fn new() -> Self {
        Self {
            id: None,
            events: Vec::new(),
            is_read: AtomicBool::new(false),
        }
    }

    pub(crate) fn push(&mut self, id: &AggregateId, event: PendingEvent<E>) {
        self.id.get_or_insert_with(|| id.clone());
        self.events.push(event);
        *self.is_read.get_mut() = false;
    }

    /// Returns the events, which are read then.
    pub(crate) fn read(&self) -> &[PendingEvent<E>] {
        self.mark_read();
        &self.events
    }

    /// Counts the events as read, because their caller has no use for them.
    pub(crate) fn mark_read(&self) {
        self.is_read.store(true, Ordering::Relaxed);
    }

    pub(crate) fn remove_up_to(&mut self, version: u64) {
        self.events
            .retain(|event| event.originator_version > version);
    }

    /// Returns the event, if there is exactly one, to move it to the aggregate `id`.
    pub(crate) fn only_one_of(&mut self, id: &AggregateId) -> Option<&mut PendingEvent<E>> {
        let [event] = &mut self.events[..] else {
            return None;
        };
        self.id = Some(id.clone());
        Some(event)
    }
}

/// A clone has the same events. They are not lost while one of the two is kept, so both count as
/// read until another event is added.
impl<E: EventSet + Clone> Clone for Pending<E> {
    fn clone(&self) -> Self {
        self.mark_read();
        Self {
            id: self.id.clone(),
            events: self.events.clone(),
            is_read: AtomicBool::new(true),
        }
    }
}

impl<E: EventSet> Drop for Pending<E> {
    fn drop(&mut self) {
        let is_read = *self.is_read.get_mut();
        if let (Some(first), Some(id), false) = (self.events.first(), self.id.take(), is_read) {
            dropped::report(Dropped {
                id,
                count: self.events.len(),
                topic: first.payload.topic(),
                version: first.originator_version,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    struct Happened;

    impl EventSet for Happened {
        const TOPICS: &'static [&'static str] = &["Thing.Happened"];

        fn topic(&self) -> &'static str {
            "Thing.Happened"
        }

        fn encode<W: crate::FieldWriter>(&self, _: &mut W) -> Result<(), crate::FieldError> {
            Ok(())
        }

        fn decode<R: crate::FieldReader>(
            _: &str,
            _: &mut R,
        ) -> Option<Result<Self, crate::FieldError>> {
            Some(Ok(Self))
        }
    }

    impl Clone for Happened {
        fn clone(&self) -> Self {
            Self
        }
    }

    fn pending(versions: std::ops::RangeInclusive<u64>) -> Pending<Happened> {
        let mut pending = Pending::new();
        for originator_version in versions {
            push(&mut pending, originator_version);
        }
        pending
    }

    fn push(pending: &mut Pending<Happened>, originator_version: u64) {
        let event = PendingEvent {
            originator_version,
            timestamp: Timestamp::MIN,
            payload: Happened,
        };
        pending.push(&"thing".into(), event);
    }

    fn dropped_by(work: impl FnOnce()) -> Vec<(usize, u64)> {
        let ((), dropped) = dropped::watch(work);
        let short = dropped.iter().map(|it| (it.count, it.version));
        short.collect()
    }

    #[test]
    fn events_that_nobody_has_read_are_reported_when_they_are_dropped() {
        assert_eq!(dropped_by(|| drop(pending(2..=4))), [(3, 2)]);
        assert_eq!(dropped_by(|| drop(Pending::<Happened>::new())), []);
        let read = || {
            let _ = pending(1..=1).read();
        };
        assert_eq!(dropped_by(read), []);
        let saved = || pending(1..=3).remove_up_to(3);
        assert_eq!(dropped_by(saved), []);
        let half_saved = || pending(1..=3).remove_up_to(2);
        assert_eq!(dropped_by(half_saved), [(1, 3)]);
    }

    #[test]
    fn an_event_that_is_added_later_is_not_read() {
        let one_more = || {
            let mut pending = pending(1..=1);
            let _ = pending.read();
            push(&mut pending, 2);
        };
        assert_eq!(dropped_by(one_more), [(2, 1)]);
    }

    #[test]
    fn of_two_clones_the_one_that_is_changed_is_reported() {
        let cloned = || {
            let original = pending(1..=1);
            let _copy = original.clone();
        };
        assert_eq!(dropped_by(cloned), []);
        let changed = || {
            let original = pending(1..=1);
            let mut copy = original.clone();
            push(&mut copy, 2);
        };
        assert_eq!(dropped_by(changed), [(2, 1)]);
    }

    #[test]
    fn a_watch_ends_with_its_work_even_if_that_panics() {
        let panicked = std::panic::catch_unwind(|| {
            dropped::watch(|| {
                let _dropped_by_the_panic = pending(1..=1);
                panic!("inside");
            })
        });
        assert!(panicked.is_err());
        let ((), outer) = dropped::watch(|| {
            let ((), inner) = dropped::watch(|| drop(pending(1..=1)));
            assert_eq!(inner.len(), 1);
        });
        assert_eq!(outer, []);
    }
}
