//! The content of one transaction, and its outcome.

use std::collections::HashSet;

use es_core::IdType;

use crate::error::StoreError;
use crate::operation::Operation;
use crate::role::Role;
use crate::set_aside::SetAsideChange;
use crate::stored_event::StoredEvent;
use crate::tracking::Tracking;

/// The content of one transaction: new events, moves of a follower's positions, and changes of what
/// it has set aside.
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
    /// The moves of a follower's positions, at most one for each upstream and one for each replay.
    /// May be empty.
    pub trackings: Vec<Tracking>,
    /// The changes of what is set aside, in this order. May be empty.
    pub set_aside: Vec<SetAsideChange>,
    /// The operations on the follower. May be empty.
    pub operations: Vec<Operation>,
    /// True if the recording was sent before, and it is unknown whether it was recorded. If all its
    /// events are stored with the same topics and states, it was, and counts as recorded now.
    pub is_resent: bool,
}

impl Recording {
    /// Creates a recording of events alone.
    pub fn new(events: Vec<StoredEvent>) -> Self {
        Self {
            events,
            ..Self::default()
        }
    }

    /// Returns the same recording, to be sent again because its outcome is unknown.
    #[must_use]
    pub fn resent(mut self) -> Self {
        self.is_resent = true;
        self
    }

    /// Returns the same recording with one more move of a position.
    #[must_use]
    pub fn tracking(mut self, tracking: Tracking) -> Self {
        self.trackings.push(tracking);
        self
    }

    /// Returns the same recording with one more change of what is set aside.
    #[must_use]
    pub fn set_aside(mut self, change: SetAsideChange) -> Self {
        self.set_aside.push(change);
        self
    }

    /// Returns the same recording with one more operation.
    #[must_use]
    pub fn operation(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }

    /// Returns true if there are changes of what is set aside, or operations.
    pub(crate) fn has_aside(&self) -> bool {
        !self.set_aside.is_empty() || !self.operations.is_empty()
    }

    /// Returns true if there is nothing to record.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.is_of_events()
    }

    /// Returns true if there are events alone.
    pub fn is_of_events(&self) -> bool {
        self.trackings.is_empty() && !self.has_aside()
    }

    /// Checks the rules that are the same for every store. Every store calls this before it writes.
    ///
    /// # Errors
    /// - [`StoreError::IdType`]: an id does not have the form that the store keeps.
    /// - [`StoreError::Invalid`]: a version is 0; a version or a position is above `i64::MAX`; a
    ///   position moves backwards; an upstream is reserved or named twice; a tag of policies is
    ///   empty; an event is set aside without a move past it; or there is a position, but the store
    ///   was opened for a [`Role::Leader`].
    pub fn check(&self, id_type: IdType, role: Role) -> Result<(), StoreError> {
        self.events
            .iter()
            .try_for_each(|event| event.check(id_type))?;
        if role == Role::Leader && !self.is_of_events() {
            let problem = "there is tracking, but the store was opened for an application that follows no other";
            return Err(StoreError::Invalid(problem.to_owned()));
        }
        self.set_aside.iter().try_for_each(SetAsideChange::check)?;
        self.check_passed()?;
        let mut upstreams = HashSet::with_capacity(self.trackings.len());
        for tracking in &self.trackings {
            tracking.check()?;
            if !upstreams.insert((&tracking.upstream, tracking.of_replay)) {
                let problem = format!("the position in `{}` would move twice", tracking.upstream);
                return Err(StoreError::Invalid(problem));
            }
        }
        Ok(())
    }

    /// Checks that a position moves past each event that is set aside.
    pub(crate) fn check_passed(&self) -> Result<(), StoreError> {
        for change in &self.set_aside {
            let SetAsideChange::Put { event, .. } = change else {
                continue;
            };
            let passes = |one: &Tracking| {
                let is_passed = one.from < event.position && event.position <= one.to;
                is_passed && one.upstream == event.upstream
            };
            if !self.trackings.iter().any(passes) {
                return change.invalid("it is set aside, and no position moves past it");
            }
        }
        Ok(())
    }
}

impl From<Tracking> for Recording {
    fn from(tracking: Tracking) -> Self {
        Self::default().tracking(tracking)
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
    /// Creates the outcome of a recording whose events got these positions.
    pub fn new(positions: Vec<u64>) -> Self {
        Self { positions }
    }

    /// Returns the position of the last new event, or `None` if there are no new events.
    pub fn last_position(&self) -> Option<u64> {
        self.positions.last().copied()
    }
}
