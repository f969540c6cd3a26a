//! The content of a store in memory, without the locking.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use es_core::AggregateId;

use super::positions::Positions;
use super::set_aside::Aside;
use crate::error::{Conflict, StoreError};
use crate::event_query::EventQuery;
use crate::notification::{Head, Notification, NotificationPage, NotificationQuery};
use crate::recording::Recording;
use crate::stored_event::StoredEvent;
use crate::upstream_event::UpstreamEvent;

/// All events of an application, and its positions in others.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The event at position n has index n - 1.
    log: Vec<StoredEvent>,
    /// The indexes in the log of each aggregate's events. Version n has index n - 1.
    aggregates: HashMap<AggregateId, Vec<usize>>,
    /// The snapshots of each aggregate by version.
    snapshots: HashMap<AggregateId, BTreeMap<u64, StoredEvent>>,
    pub(super) positions: Positions,
    pub(super) set_aside: Aside,
}

impl Record {
    /// Records all of it or nothing. Returns the positions of the new events.
    pub(super) fn record(&mut self, recording: &Recording) -> Result<Vec<u64>, StoreError> {
        if recording.is_resent
            && let Some(positions) = self.recorded_at(recording)
        {
            return Ok(positions);
        }
        recording
            .trackings
            .iter()
            .try_for_each(|tracking| self.positions.check(tracking))?;
        let replaced = self.set_aside.change(&recording.set_aside)?;
        let before = self.log.len();
        for event in &recording.events {
            if let Err(refused) = self.insert(event) {
                self.take_back_to(before);
                self.set_aside.take_back(replaced);
                return Err(refused);
            }
        }
        for tracking in &recording.trackings {
            self.positions.set(tracking);
        }
        self.set_aside.operate(&recording.operations);
        Ok((before..self.log.len()).map(position).collect())
    }

    /// Returns the positions at which an earlier attempt at the recording has recorded it.
    fn recorded_at(&self, recording: &Recording) -> Option<Vec<u64>> {
        if recording.events.is_empty() {
            let mut moves = recording.trackings.iter();
            let have_moved = moves.all(|one| self.positions.has_moved(one));
            let is_known = have_moved && !recording.is_empty() && self.set_aside.has(recording);
            return is_known.then(Vec::new);
        }
        let position = |event: &StoredEvent| {
            let versions = self.aggregates.get(&event.originator_id)?;
            let before = usize::try_from(event.originator_version.checked_sub(1)?).ok()?;
            let index = *versions.get(before)?;
            (self.log.get(index) == Some(event)).then(|| position(index))
        };
        recording.events.iter().map(position).collect()
    }

    /// Returns the events of one aggregate.
    pub(super) fn events(&self, id: &AggregateId, query: &EventQuery) -> Vec<StoredEvent> {
        let Some(versions) = self.aggregates.get(id) else {
            return Vec::new();
        };
        let upto =
            |version| usize::try_from(version).map_or(versions.len(), |n| n.min(versions.len()));
        let (from, to) = (
            upto(query.gt.unwrap_or(0)),
            upto(query.lte.unwrap_or(u64::MAX)),
        );
        let found = versions.get(from..to).unwrap_or_default().iter();
        let event = |index: &usize| self.log.get(*index);
        let mut bytes = 0;
        let is_before_the_end = |event: &&StoredEvent| {
            let is_before_the_end = !query.is_reached_by(bytes);
            bytes += event.state.len();
            is_before_the_end
        };
        if query.desc {
            let page = found.rev().take(query.limit).filter_map(event);
            page.take_while(is_before_the_end).cloned().collect()
        } else {
            let page = found.take(query.limit).filter_map(event);
            page.take_while(is_before_the_end).cloned().collect()
        }
    }

    /// Records a snapshot. The last one of a version wins.
    pub(super) fn record_snapshot(&mut self, snapshot: &StoredEvent) {
        let (id, version) = (snapshot.originator_id.clone(), snapshot.originator_version);
        let of_aggregate = self.snapshots.entry(id).or_default();
        of_aggregate.insert(version, snapshot.clone());
    }

    /// Returns the snapshots of one aggregate.
    pub(super) fn snapshots(&self, id: &AggregateId, query: &EventQuery) -> Vec<StoredEvent> {
        let Some(versions) = self.snapshots.get(id) else {
            return Vec::new();
        };
        let is_wanted = |snapshot: &&StoredEvent| {
            let version = snapshot.originator_version;
            query.gt.is_none_or(|gt| version > gt) && query.lte.is_none_or(|lte| version <= lte)
        };
        let found = versions.values().filter(is_wanted).cloned();
        if query.desc {
            found.rev().take(query.limit).collect()
        } else {
            found.take(query.limit).collect()
        }
    }

    /// Returns a part of the log, and the event at which it starts.
    pub(super) fn page(&self, query: &NotificationQuery) -> NotificationPage {
        let start = query.start.and_then(|start| self.event_at(start));
        NotificationPage::new(start, self.notifications(query))
    }

    /// Returns a part of the log.
    pub(super) fn notifications(&self, query: &NotificationQuery) -> Vec<Notification> {
        let start = match query.start {
            Some(start) if query.inclusive_of_start => start.saturating_sub(1),
            Some(start) => start,
            None => 0,
        };
        let start = usize::try_from(start)
            .unwrap_or(usize::MAX)
            .min(self.log.len());
        let stop = usize::try_from(query.stop.unwrap_or(u64::MAX))
            .unwrap_or(usize::MAX)
            .min(self.log.len());
        let wanted = |event: &StoredEvent| match &query.topics {
            Some(topics) => topics.selects(&event.topic),
            None => true,
        };
        let page = (start..stop).zip(self.log.get(start..stop).unwrap_or_default());
        let mut bytes = 0;
        page.filter(|(_, event)| wanted(event))
            .take(query.limit)
            .take_while(|(_, event)| {
                let is_before_the_end = !query.is_reached_by(bytes);
                bytes += event.state.len();
                is_before_the_end
            })
            .map(|(index, event)| Notification::new(position(index), event.clone()))
            .collect()
    }

    /// Returns the position of the last event, and the event.
    pub(super) fn head(&self) -> Option<Head> {
        let position = position(self.log.len().checked_sub(1)?);
        Some(Head::new(position, self.event_at(position)))
    }

    /// Returns the event at `position`.
    pub(super) fn event_at(&self, position: u64) -> Option<UpstreamEvent> {
        let index = usize::try_from(position.checked_sub(1)?).ok()?;
        self.log.get(index).map(UpstreamEvent::from)
    }

    fn insert(&mut self, event: &StoredEvent) -> Result<(), StoreError> {
        let (id, version) = (event.originator_id.clone(), event.originator_version);
        let next = self.aggregates.get(&id).map_or(0, Vec::len) as u64 + 1;
        match version.cmp(&next) {
            Ordering::Less => return Err(Conflict::new(id, version).into()),
            Ordering::Greater => return Err(StoreError::gap(id, version)),
            Ordering::Equal => {}
        }
        self.aggregates.entry(id).or_default().push(self.log.len());
        self.log.push(event.clone());
        Ok(())
    }

    fn take_back_to(&mut self, len: usize) {
        for event in self.log.drain(len..) {
            if let Some(versions) = self.aggregates.get_mut(&event.originator_id) {
                versions.retain(|index| *index < len);
                if versions.is_empty() {
                    self.aggregates.remove(&event.originator_id);
                }
            }
        }
    }
}

/// Returns the position of the event at `index` of the log.
fn position(index: usize) -> u64 {
    index as u64 + 1
}
