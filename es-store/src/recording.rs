//! The content of one transaction, and its outcome.

use std::collections::HashSet;

use es_core::IdType;

use crate::error::StoreError;
use crate::role::Role;
use crate::stored_event::StoredEvent;
use crate::tracking::Tracking;

/// The content of one transaction: new events, and moves of a follower's positions.
///
/// It is recorded as a whole or not at all.
///
/// ```
/// use es_store::{Recording, Tracking};
///
/// let recording = Recording::default()
///     .tracking(Tracking::new("Orders", 100, 250))
///     .tracking(Tracking::new("Payments", 7, 9));
/// assert_eq!(recording.trackings.len(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recording {
    /// The new events, in the order in which they get their positions. May be empty.
    pub events: Vec<StoredEvent>,
    /// The moves of a follower's positions, at most one for each upstream. May be empty.
    pub trackings: Vec<Tracking>,
}

impl Recording {
    /// A recording of events alone.
    pub fn new(events: Vec<StoredEvent>) -> Self {
        Self {
            events,
            trackings: Vec::new(),
        }
    }

    /// The same recording, with one more move of a position.
    #[must_use]
    pub fn tracking(mut self, tracking: Tracking) -> Self {
        self.trackings.push(tracking);
        self
    }

    /// Returns true if there is nothing to record.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.trackings.is_empty()
    }

    /// Refuses what no store records. Every store calls it before it writes anything.
    ///
    /// # Errors
    /// [`StoreError::IdType`] when an id does not have the form that the store keeps.
    /// [`StoreError::Invalid`] when a version is 0; when a version or a position is above
    /// `i64::MAX`; when a position goes backwards or its upstream is reserved or named twice; and
    /// when there is a position but the store was opened for a [`Role::Leader`].
    pub fn check(&self, id_type: IdType, role: Role) -> Result<(), StoreError> {
        self.events
            .iter()
            .try_for_each(|event| event.check(id_type))?;
        if role == Role::Leader && !self.trackings.is_empty() {
            let problem = "there is tracking, but the store was opened for an application that follows no other";
            return Err(StoreError::Invalid(problem.to_owned()));
        }
        let mut upstreams = HashSet::with_capacity(self.trackings.len());
        for tracking in &self.trackings {
            tracking.check()?;
            if !upstreams.insert(&tracking.upstream) {
                let problem = format!("the position in `{}` would move twice", tracking.upstream);
                return Err(StoreError::Invalid(problem));
            }
        }
        Ok(())
    }
}

/// The outcome of a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// The positions of the new events, in the order of the recording.
    pub positions: Vec<u64>,
}

impl Recorded {
    /// Events were recorded at these positions.
    pub fn new(positions: Vec<u64>) -> Self {
        Self { positions }
    }

    /// The position of the last new event; `None` if there was none.
    pub fn last_position(&self) -> Option<u64> {
        self.positions.last().copied()
    }
}
