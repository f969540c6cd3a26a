//! Events and moves of positions as columns, with one array for each column.

use es_core::{AggregateId, IdType};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::sql::limits::at_most;
use crate::sql::upstream_id;
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

/// Moves of positions as columns.
#[derive(Default)]
pub(super) struct Moves<'a> {
    pub(super) upstreams: Vec<&'a str>,
    pub(super) froms: Vec<i64>,
    pub(super) tos: Vec<i64>,
}

impl<'a> Moves<'a> {
    pub(super) fn of(moves: &[&'a Tracking]) -> Self {
        Self {
            upstreams: moves.iter().map(|one| one.upstream.as_str()).collect(),
            froms: moves.iter().map(|one| at_most(one.from)).collect(),
            tos: moves.iter().map(|one| at_most(one.to)).collect(),
        }
    }
}

/// The upstream events at the new positions, as columns.
#[derive(Default)]
pub(super) struct UpstreamEvents<'a> {
    pub(super) upstreams: Vec<&'a str>,
    pub(super) positions: Vec<i64>,
    pub(super) ids: Vec<String>,
    pub(super) versions: Vec<i64>,
}

impl<'a> UpstreamEvents<'a> {
    pub(super) fn of(moves: &[&'a Tracking]) -> Self {
        let mut found = Self::default();
        for one in moves {
            if let Some(event) = &one.at {
                found.upstreams.push(&one.upstream);
                found.positions.push(at_most(one.to));
                found.ids.push(upstream_id::to_column(&event.originator_id));
                found.versions.push(at_most(event.originator_version));
            }
        }
        found
    }
}
