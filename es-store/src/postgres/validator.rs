//! The validation of the recordings of a group. Each one is validated in its order, against the
//! stored events and against the recordings accepted before it.

pub(super) mod positions;

use std::collections::HashSet;

use es_core::AggregateId;

use self::positions::Positions;
use crate::error::{Conflict, StoreError};
use crate::recording::Recording;
use crate::stored_event::StoredEvent;

/// The stored event, if any, that has the aggregate and version of a new one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Existing {
    /// The position of the stored event.
    pub(super) position: Option<u64>,
    /// True if the stored event has the same topic and state.
    pub(super) is_same: bool,
    /// True if the previous version is stored.
    pub(super) follows: bool,
}

/// The result of validating a recording.
#[derive(Debug)]
pub(super) enum Validation {
    /// The recording will be written.
    Accepted,
    /// An earlier attempt, whose connection was lost, wrote the recording at these positions.
    AlreadyRecorded(Vec<u64>),
    Refused(StoreError),
}

/// The validator of one group.
#[derive(Default)]
pub(super) struct Validator<'a> {
    pub(super) positions: Positions<'a>,
    accepted: HashSet<(&'a AggregateId, u64)>,
    /// True if the group was sent before and the outcome is unknown.
    is_resent: bool,
    /// True if an earlier attempt has recorded what the group has beside events and positions.
    pub(super) has_aside: bool,
}

impl<'a> Validator<'a> {
    pub(super) fn new(is_resent: bool) -> Self {
        Self {
            is_resent,
            ..Self::default()
        }
    }

    /// Finds the moves that an earlier attempt at the group has recorded, from the positions that
    /// were found. In a group, one move may follow another.
    pub(super) fn find_recorded_moves(&mut self, group: &[&'a Recording]) {
        for tracking in group.iter().rev().flat_map(|one| &one.trackings) {
            self.positions.find_recorded(tracking);
        }
    }

    /// Validates a recording. `existing` is in the order of its events.
    pub(super) fn validate(
        &mut self,
        recording: &'a Recording,
        existing: &[Existing],
    ) -> Validation {
        if (self.is_resent || recording.is_resent)
            && let Some(positions) = self.recorded_at(recording, existing)
        {
            return Validation::AlreadyRecorded(positions);
        }
        // Positions are checked first: a writer that lost the race is told of the moved position,
        // and not of the conflict that follows from it.
        let mut trackings = recording.trackings.iter();
        if let Err(error) = trackings.try_for_each(|one| self.positions.check(one)) {
            return Validation::Refused(error);
        }
        match self.check_events(&recording.events, existing) {
            Err(error) => return Validation::Refused(error),
            Ok(new) => self.accepted.extend(new),
        }
        for tracking in &recording.trackings {
            self.positions.set(tracking);
        }
        Validation::Accepted
    }

    /// Returns the positions at which the first attempt wrote a recording. Identical bytes prove
    /// that it did. A recording without events was written if its positions have moved, by its own
    /// moves and those that follow them in the group.
    fn recorded_at(&self, recording: &Recording, existing: &[Existing]) -> Option<Vec<u64>> {
        if recording.events.is_empty() {
            let mut trackings = recording.trackings.iter();
            let has_moved = trackings.all(|one| self.positions.has_reached(one));
            let has_aside = !recording.has_aside() || self.has_aside;
            return (has_moved && has_aside).then(Vec::new);
        }
        let position = |existing: &Existing| existing.position.filter(|_| existing.is_same);
        existing.iter().map(position).collect()
    }

    fn check_events(
        &self,
        events: &'a [StoredEvent],
        existing: &[Existing],
    ) -> Result<HashSet<(&'a AggregateId, u64)>, StoreError> {
        let mut new = HashSet::with_capacity(events.len());
        for (event, existing) in events.iter().zip(existing) {
            let (id, version) = (&event.originator_id, event.originator_version);
            let is_new =
                |version| new.contains(&(id, version)) || self.accepted.contains(&(id, version));
            if existing.position.is_some() || is_new(version) {
                let id = id.clone();
                return Err(Conflict { id, version }.into());
            }
            if version > 1 && !existing.follows && !is_new(version - 1) {
                let id = id.clone();
                return Err(StoreError::Gap { id, version });
            }
            new.insert((id, version));
        }
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::positions::Position;
    use super::*;
    use crate::tracking::Tracking;

    fn recording(versions: impl IntoIterator<Item = u64>) -> Recording {
        let event = |version| {
            StoredEvent::new(
                Uuid::from_u128(1),
                version,
                "test:Thing.Happened",
                Vec::new(),
            )
        };
        Recording::new(versions.into_iter().map(event).collect())
    }

    fn nothing(recording: &Recording) -> Vec<Existing> {
        vec![Existing::default(); recording.events.len()]
    }

    #[test]
    fn each_is_judged_against_those_accepted_before_it() {
        let group = [
            recording([1, 2]),
            recording([2]),
            recording([3]),
            recording([5]),
        ];
        let mut validator = Validator::default();
        let verdicts: Vec<_> = group
            .iter()
            .map(|one| validator.validate(one, &nothing(one)))
            .collect();
        assert!(matches!(verdicts[0], Validation::Accepted));
        assert!(
            matches!(&verdicts[1], Validation::Refused(StoreError::Conflict(conflict)) if conflict.version == 2)
        );
        assert!(matches!(verdicts[2], Validation::Accepted));
        assert!(matches!(
            &verdicts[3],
            Validation::Refused(StoreError::Gap { version: 5, .. })
        ));
    }

    #[test]
    fn what_was_refused_leaves_nothing_behind() {
        let group = [recording([1, 2, 4]), recording([1])];
        let mut validator = Validator::default();
        assert!(matches!(
            validator.validate(&group[0], &nothing(&group[0])),
            Validation::Refused(_)
        ));
        assert!(matches!(
            validator.validate(&group[1], &nothing(&group[1])),
            Validation::Accepted
        ));
    }

    #[test]
    fn moves_of_a_group_follow_each_other() {
        let moved = |from, to| Recording::default().tracking(Tracking::new("Up", from, to));
        let group = [moved(0, 5), moved(5, 9), moved(5, 7)];
        let mut validator = Validator::default();
        let verdicts: Vec<_> = group
            .iter()
            .map(|one| validator.validate(one, &[]))
            .collect();
        assert!(matches!(
            verdicts[..2],
            [Validation::Accepted, Validation::Accepted]
        ));
        assert!(matches!(
            &verdicts[2],
            Validation::Refused(StoreError::PositionMoved { found: 9, .. })
        ));
    }

    #[test]
    fn moves_of_a_resent_group_that_follow_each_other_were_recorded_together() {
        let moved = |from, to| Recording::default().tracking(Tracking::new("Up", from, to));
        let group = [moved(0, 5), moved(5, 9), moved(5, 7), moved(9, 9)];
        let all: Vec<_> = group.iter().collect();
        for (found, recorded) in [(0, 0), (5, 1), (7, 2), (9, 3), (12, 0)] {
            let mut validator = Validator::new(true);
            let position = Position {
                at: found,
                policies: None,
            };
            validator.positions.insert("Up".into(), position);
            validator.find_recorded_moves(&all);
            let are_recorded = group.iter().filter(|one| {
                let validation = validator.validate(one, &[]);
                matches!(validation, Validation::AlreadyRecorded(_))
            });
            assert_eq!(are_recorded.count(), recorded, "{found}");
        }
    }

    #[test]
    fn identical_bytes_are_success_only_when_they_were_sent_before() {
        let one = recording([1]);
        let there = Existing {
            position: Some(7),
            is_same: true,
            follows: false,
        };
        let other = Existing {
            is_same: false,
            ..there
        };
        let mut validator = Validator::default();
        assert!(matches!(
            validator.validate(&one, &[there]),
            Validation::Refused(StoreError::Conflict(_))
        ));
        let again = one.clone().resent();
        let validated = Validator::default().validate(&again, &[there]);
        assert!(matches!(validated, Validation::AlreadyRecorded(at) if at == [7]));
        validator.is_resent = true;
        assert!(
            matches!(validator.validate(&one, &[there]), Validation::AlreadyRecorded(at) if at == [7])
        );
        assert!(matches!(
            validator.validate(&one, &[other]),
            Validation::Refused(StoreError::Conflict(_))
        ));
    }
}
