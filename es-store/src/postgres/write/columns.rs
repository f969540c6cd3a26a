//! Events and moves of positions as columns, with one array for each column.

use std::borrow::Cow;
use std::collections::BTreeMap;

use es_core::{AggregateId, IdType};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::followed::{PolicyTopic, TopicChange};
use crate::sql::followed::kept;
use crate::sql::limits::at_most;
use crate::stored_event::StoredEvent;
use crate::tracking::Tracking;

/// Events as columns.
pub(super) struct Events<'a> {
    pub(super) ids: Ids<'a>,
    pub(super) versions: Vec<i64>,
    pub(super) topics: Vec<&'a str>,
    pub(super) states: Vec<&'a [u8]>,
}

pub(super) enum Ids<'a> {
    Uuid(Vec<Uuid>),
    Text(Vec<&'a str>),
}

impl<'a> Events<'a> {
    pub(super) fn of(id_type: IdType, events: impl IntoIterator<Item = &'a StoredEvent>) -> Self {
        let mut columns = Self {
            ids: match id_type {
                IdType::Uuid => Ids::Uuid(Vec::new()),
                IdType::Text => Ids::Text(Vec::new()),
            },
            versions: Vec::new(),
            topics: Vec::new(),
            states: Vec::new(),
        };
        for event in events {
            columns.ids.push(&event.originator_id);
            columns.versions.push(at_most(event.originator_version));
            columns.topics.push(&event.topic);
            columns.states.push(&event.state);
        }
        columns
    }

    pub(super) fn params(&self) -> [&(dyn ToSql + Sync); 4] {
        [self.ids.param(), &self.versions, &self.topics, &self.states]
    }
}

impl<'a> Ids<'a> {
    /// Adds an id. Ids of the other type were refused before.
    pub(super) fn push(&mut self, id: &'a AggregateId) {
        match (self, id) {
            (Self::Uuid(ids), AggregateId::Uuid(id)) => ids.push(*id),
            (Self::Text(ids), AggregateId::Text(id)) => ids.push(id),
            _ => {}
        }
    }

    pub(super) fn param(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Uuid(ids) => ids,
            Self::Text(ids) => ids,
        }
    }
}

/// Moves of positions as columns, with what is recorded for their ends.
#[derive(Default)]
pub(super) struct Moves<'a> {
    /// The upstreams' names in the rows of the positions.
    pub(super) rows: Vec<Cow<'a, str>>,
    pub(super) froms: Vec<i64>,
    pub(super) tos: Vec<i64>,
    /// The aggregates of the events at the new positions; null if an event is not known.
    pub(super) ids: Vec<Option<String>>,
    pub(super) versions: Vec<Option<i64>>,
    pub(super) identities: Vec<Option<String>>,
    pub(super) expected: Vec<Option<&'a str>>,
    /// The tags of the new policies; null if the policies are not known.
    pub(super) policies: Vec<Option<&'a str>>,
}

impl<'a> Moves<'a> {
    pub(super) fn of(moves: &[&'a Tracking]) -> Self {
        let mut columns = Self::default();
        for one in moves {
            let kept = kept(one);
            let kept = kept.as_ref();
            columns.rows.push(one.row());
            columns.froms.push(at_most(one.from));
            columns.tos.push(at_most(one.to));
            columns
                .ids
                .push(kept.and_then(|kept| kept.originator_id.clone()));
            let version = kept.and_then(|kept| kept.originator_version);
            columns.versions.push(version);
            let identity = kept.and_then(|kept| kept.identity.clone());
            columns.identities.push(identity);
            let policies = one.policies.as_ref();
            let expected = policies.and_then(|one| one.expected.as_deref());
            columns.expected.push(expected);
            let new = policies.and_then(|one| one.new.as_deref());
            columns.policies.push(new);
        }
        columns
    }

    /// Returns true if nothing but the positions is recorded.
    pub(super) fn are_bare(&self) -> bool {
        self.ids.iter().all(Option::is_none) && self.policies.iter().all(Option::is_none)
    }
}

/// Changes of topics as columns: those that are recorded, and those that are removed.
#[derive(Default)]
pub(super) struct Topics<'a> {
    pub(super) put_of: Vec<&'a str>,
    pub(super) put: Vec<&'a str>,
    pub(super) covered: Vec<Option<i64>>,
    pub(super) removed_of: Vec<&'a str>,
    pub(super) removed: Vec<&'a str>,
}

impl<'a> Topics<'a> {
    /// Returns the changes of `moves`. Of several changes of one topic, the last one counts.
    pub(super) fn of(moves: &[&'a Tracking]) -> Self {
        let mut last = BTreeMap::new();
        for one in moves {
            for change in one.policies.iter().flat_map(|policies| &policies.topics) {
                last.insert((one.upstream.as_str(), change.topic()), change);
            }
        }
        let mut columns = Self::default();
        for ((upstream, topic), change) in last {
            match change {
                TopicChange::Put(PolicyTopic { covered, .. }) => {
                    columns.put_of.push(upstream);
                    columns.put.push(topic);
                    columns.covered.push(covered.map(at_most));
                }
                TopicChange::Remove(_) => {
                    columns.removed_of.push(upstream);
                    columns.removed.push(topic);
                }
            }
        }
        columns
    }
}
