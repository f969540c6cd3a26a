//! What is recorded, without the locking.

use std::collections::HashMap;

use es_core::AggregateId;

use crate::{
    Conflict, EventQuery, Head, Notification, NotificationQuery, Recording, StoreError,
    StoredEvent, Tracking, UpstreamEvent,
};

/// All events of an application, and how far it has followed others.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The event at position n is at n - 1.
    log: Vec<StoredEvent>,
    /// For each aggregate its versions, ascending, and where in the log they are.
    aggregates: HashMap<AggregateId, Vec<(u64, usize)>>,
    tracked: HashMap<String, Position>,
}

#[derive(Debug, Default)]
struct Position {
    at: u64,
    /// The event there, and the position for which that was said.
    event: Option<(u64, UpstreamEvent)>,
}

impl Record {
    /// Records all or nothing; the positions of the new events.
    pub(super) fn record(&mut self, recording: &Recording) -> Result<Vec<u64>, StoreError> {
        if let Some(tracking) = &recording.tracking {
            self.check_position(tracking)?;
        }
        let before = self.log.len();
        for event in &recording.events {
            if let Err(conflict) = self.insert(event) {
                self.take_back_to(before);
                return Err(conflict.into());
            }
        }
        if let Some(tracking) = &recording.tracking {
            self.move_position(tracking);
        }
        Ok((before..self.log.len()).map(position).collect())
    }

    /// The events of one aggregate.
    pub(super) fn events(&self, id: &AggregateId, query: &EventQuery) -> Vec<StoredEvent> {
        let Some(versions) = self.aggregates.get(id) else {
            return Vec::new();
        };
        let from = query.gt.map_or(0, |gt| {
            versions.partition_point(|(version, _)| *version <= gt)
        });
        let to = query.lte.map_or(versions.len(), |lte| {
            versions.partition_point(|(version, _)| *version <= lte)
        });
        let found = versions.get(from..to).unwrap_or_default().iter();
        let events = |index: &(u64, usize)| self.log.get(index.1).cloned();
        match query.desc {
            false => found.take(query.limit).filter_map(events).collect(),
            true => found.rev().take(query.limit).filter_map(events).collect(),
        }
    }

    /// A part of the log.
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
            Some(topics) => topics.iter().any(|topic| *topic == event.topic),
            None => true,
        };
        let page = (start..stop).zip(self.log.get(start..stop).unwrap_or_default());
        page.filter(|(_, event)| wanted(event))
            .take(query.limit)
            .map(|(index, event)| Notification {
                id: position(index),
                event: event.clone(),
            })
            .collect()
    }

    /// The last event.
    pub(super) fn head(&self) -> Option<Head> {
        let last = self.log.last()?;
        Some(Head {
            position: position(self.log.len() - 1),
            originator_id: last.originator_id.clone(),
            originator_version: last.originator_version,
        })
    }

    /// How far `upstream` is processed.
    pub(super) fn tracked(&self, upstream: &str) -> Option<u64> {
        self.tracked.get(upstream).map(|position| position.at)
    }

    /// Which event stood at `position` of `upstream`.
    pub(super) fn upstream_event(&self, upstream: &str, position: u64) -> Option<UpstreamEvent> {
        let (said_for, event) = self.tracked.get(upstream)?.event.as_ref()?;
        (*said_for == position).then(|| event.clone())
    }

    fn check_position(&self, tracking: &Tracking) -> Result<(), StoreError> {
        let found = self.tracked(&tracking.upstream).unwrap_or(0);
        if found == tracking.from {
            return Ok(());
        }
        let (upstream, expected) = (tracking.upstream.clone(), tracking.from);
        Err(StoreError::PositionMoved {
            upstream,
            expected,
            found,
        })
    }

    fn move_position(&mut self, tracking: &Tracking) {
        let position = self.tracked.entry(tracking.upstream.clone()).or_default();
        position.at = tracking.to;
        if let Some(event) = &tracking.at {
            position.event = Some((tracking.to, event.clone()));
        }
    }

    fn insert(&mut self, event: &StoredEvent) -> Result<(), Conflict> {
        let version = event.originator_version;
        let versions = self
            .aggregates
            .entry(event.originator_id.clone())
            .or_default();
        // The next version is the usual case; others are put where they belong.
        let place = versions.partition_point(|(other, _)| *other < version);
        if versions
            .get(place)
            .is_some_and(|(other, _)| *other == version)
        {
            return Err(Conflict {
                id: event.originator_id.clone(),
                version,
            });
        }
        versions.insert(place, (version, self.log.len()));
        self.log.push(event.clone());
        Ok(())
    }

    fn take_back_to(&mut self, len: usize) {
        for event in self.log.drain(len..) {
            if let Some(versions) = self.aggregates.get_mut(&event.originator_id) {
                versions.retain(|(_, index)| *index < len);
                if versions.is_empty() {
                    self.aggregates.remove(&event.originator_id);
                }
            }
        }
    }
}

/// The position of the event at `index` of the log.
fn position(index: usize) -> u64 {
    index as u64 + 1
}
