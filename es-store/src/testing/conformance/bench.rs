//! The tools of the rules.

use std::sync::Arc;

use es_core::{AggregateId, IdType};
use uuid::Uuid;

use crate::event_query::EventQuery;
use crate::notification::NotificationQuery;
use crate::recorder::ProcessRecorder;
use crate::recording::Recording;
use crate::role::Role;
use crate::stored_event::StoredEvent;
use crate::upstream_event::UpstreamEvent;

/// A kind of store under test: opens new, empty stores, and creates events for them.
pub struct Bench {
    ids: IdType,
    open: Box<dyn Fn(Role, IdType) -> Arc<dyn ProcessRecorder>>,
}

impl Bench {
    /// Creates a bench for stores with this form of ids. `open` opens a new, empty store each time.
    pub fn new(
        ids: IdType,
        open: impl Fn(Role, IdType) -> Arc<dyn ProcessRecorder> + 'static,
    ) -> Self {
        Self {
            ids,
            open: Box::new(open),
        }
    }

    pub(super) fn leader(&self) -> Arc<dyn ProcessRecorder> {
        (self.open)(Role::Leader, self.ids)
    }

    pub(super) fn follower(&self) -> Arc<dyn ProcessRecorder> {
        (self.open)(Role::Follower, self.ids)
    }

    /// Returns the id of the aggregate with this number.
    pub(super) fn id(&self, number: u128) -> AggregateId {
        id(self.ids, number)
    }

    /// Returns an id of the form that these stores do not keep.
    pub(super) fn other_id(&self) -> AggregateId {
        match self.ids {
            IdType::Uuid => id(IdType::Text, 1),
            IdType::Text => id(IdType::Uuid, 1),
        }
    }

    /// Returns an event of the aggregate with this number.
    pub(super) fn event(&self, number: u128, version: u64) -> StoredEvent {
        event(self.id(number), version)
    }

    /// Returns the identity of that event.
    pub(super) fn event_id(&self, number: u128, version: u64) -> UpstreamEvent {
        UpstreamEvent::from(&self.event(number, version))
    }

    /// Returns a recording of events of one aggregate.
    pub(super) fn events(
        &self,
        number: u128,
        versions: impl IntoIterator<Item = u64>,
    ) -> Recording {
        Recording::new(
            versions
                .into_iter()
                .map(|version| self.event(number, version))
                .collect(),
        )
    }
}

fn id(ids: IdType, number: u128) -> AggregateId {
    match ids {
        IdType::Uuid => AggregateId::from(Uuid::from_u128(number << 64 | 0xfeed)),
        // It looks like the stored form of a UUID, and is none.
        IdType::Text => {
            AggregateId::from(Uuid::from_u128(number << 64 | 0xfeed).simple().to_string())
        }
    }
}

/// Returns an event. Its topic depends on whether its version is odd or even.
pub(super) fn event(id: AggregateId, version: u64) -> StoredEvent {
    let topic = if version % 2 == 1 {
        "test:Thing.Odd"
    } else {
        "test:Thing.Even"
    };
    let state = format!("{{\"version\":{version}}}").into_bytes();
    StoredEvent::new(id, version, topic, state)
}

/// Returns the versions of an aggregate's events, as selected.
pub(super) fn versions(
    recorder: &dyn ProcessRecorder,
    id: &AggregateId,
    query: &EventQuery,
) -> Vec<u64> {
    let events = recorder
        .select_events(id, query)
        .expect("the store can be read");
    events
        .iter()
        .map(|event| event.originator_version)
        .collect()
}

/// Returns the positions of notifications, as selected.
pub(super) fn positions(recorder: &dyn ProcessRecorder, query: &NotificationQuery) -> Vec<u64> {
    let notifications = recorder
        .select_notifications(query)
        .expect("the store can be read");
    notifications
        .iter()
        .map(|notification| notification.id)
        .collect()
}

/// Returns the whole content of a store.
pub(super) fn snapshot(
    recorder: &dyn ProcessRecorder,
    upstream: &str,
) -> impl PartialEq + std::fmt::Debug {
    (
        recorder
            .select_notifications(&NotificationQuery::all())
            .expect("the store can be read"),
        recorder.head().expect("the store can be read"),
        recorder.followed(upstream).expect("the store can be read"),
    )
}
