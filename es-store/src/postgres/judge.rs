//! Which recordings of a group are accepted: in their order, each against the record and those
//! accepted before it.

use std::collections::{HashMap, HashSet};

use es_core::AggregateId;

use crate::error::{Conflict, StoreError};
use crate::recording::Recording;
use crate::stored_event::StoredEvent;

/// The row that the record has where an event would go.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    /// The position of the event that is there already.
    pub(super) position: Option<u64>,
    /// True if that one has the same topic and state.
    pub(super) is_same: bool,
    /// True if the version before is there.
    pub(super) follows: bool,
}

/// The verdict on a recording.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is recorded now.
    Accepted,
    /// An attempt whose connection was lost has recorded it, at these positions.
    There(Vec<u64>),
    Refused(StoreError),
}

/// Judges the recordings of one group.
#[derive(Default)]
pub(super) struct Judge<'a> {
    /// The position in each upstream; 0 if it is not here.
    pub(super) tracked: HashMap<&'a str, u64>,
    accepted: HashSet<(&'a AggregateId, u64)>,
    /// True if the group was sent before and nobody knows what came of it.
    is_resent: bool,
}

impl<'a> Judge<'a> {
    pub(super) fn new(is_resent: bool) -> Self {
        Self {
            is_resent,
            ..Self::default()
        }
    }

    /// `known` is in the order of the events.
    pub(super) fn judge(&mut self, recording: &'a Recording, known: &[Known]) -> Verdict {
        if self.is_resent
            && let Some(positions) = self.is_there(recording, known)
        {
            return Verdict::There(positions);
        }
        // The position comes first: who lost the race learns that, and not of the conflict that
        // follows from it.
        if let Err(error) = self.check_positions(recording) {
            return Verdict::Refused(error);
        }
        match self.check_events(&recording.events, known) {
            Err(error) => return Verdict::Refused(error),
            Ok(new) => self.accepted.extend(new),
        }
        for tracking in &recording.trackings {
            self.tracked.insert(&tracking.upstream, tracking.to);
        }
        Verdict::Accepted
    }

    /// Identical bytes are there because the first attempt took place. Without events the positions
    /// decide.
    fn is_there(&self, recording: &Recording, known: &[Known]) -> Option<Vec<u64>> {
        if recording.events.is_empty() {
            let mut trackings = recording.trackings.iter();
            let is_there = trackings.all(|one| self.found(&one.upstream) == one.to);
            return is_there.then(Vec::new);
        }
        let position = |known: &Known| known.position.filter(|_| known.is_same);
        known.iter().map(position).collect()
    }

    fn found(&self, upstream: &str) -> u64 {
        self.tracked.get(upstream).copied().unwrap_or(0)
    }

    fn check_positions(&self, recording: &Recording) -> Result<(), StoreError> {
        for tracking in &recording.trackings {
            let found = self.found(&tracking.upstream);
            if found != tracking.from {
                let (upstream, expected) = (&tracking.upstream, tracking.from);
                return Err(StoreError::position_moved(upstream, expected, found));
            }
        }
        Ok(())
    }

    fn check_events(
        &self,
        events: &'a [StoredEvent],
        known: &[Known],
    ) -> Result<HashSet<(&'a AggregateId, u64)>, StoreError> {
        let mut new = HashSet::with_capacity(events.len());
        for (event, known) in events.iter().zip(known) {
            let (id, version) = (&event.originator_id, event.originator_version);
            let is_new =
                |version| new.contains(&(id, version)) || self.accepted.contains(&(id, version));
            if known.position.is_some() || is_new(version) {
                let id = id.clone();
                return Err(Conflict { id, version }.into());
            }
            if version > 1 && !known.follows && !is_new(version - 1) {
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

    fn nothing(recording: &Recording) -> Vec<Known> {
        vec![Known::default(); recording.events.len()]
    }

    #[test]
    fn each_is_judged_against_those_accepted_before_it() {
        let group = [
            recording([1, 2]),
            recording([2]),
            recording([3]),
            recording([5]),
        ];
        let mut judge = Judge::default();
        let verdicts: Vec<_> = group
            .iter()
            .map(|one| judge.judge(one, &nothing(one)))
            .collect();
        assert!(matches!(verdicts[0], Verdict::Accepted));
        assert!(
            matches!(&verdicts[1], Verdict::Refused(StoreError::Conflict(conflict)) if conflict.version == 2)
        );
        assert!(matches!(verdicts[2], Verdict::Accepted));
        assert!(matches!(
            &verdicts[3],
            Verdict::Refused(StoreError::Gap { version: 5, .. })
        ));
    }

    #[test]
    fn what_was_refused_leaves_nothing_behind() {
        let group = [recording([1, 2, 4]), recording([1])];
        let mut judge = Judge::default();
        assert!(matches!(
            judge.judge(&group[0], &nothing(&group[0])),
            Verdict::Refused(_)
        ));
        assert!(matches!(
            judge.judge(&group[1], &nothing(&group[1])),
            Verdict::Accepted
        ));
    }

    #[test]
    fn moves_of_a_group_follow_each_other() {
        let moved = |from, to| Recording::default().tracking(Tracking::new("Up", from, to));
        let group = [moved(0, 5), moved(5, 9), moved(5, 7)];
        let mut judge = Judge::default();
        let verdicts: Vec<_> = group.iter().map(|one| judge.judge(one, &[])).collect();
        assert!(matches!(
            verdicts[..2],
            [Verdict::Accepted, Verdict::Accepted]
        ));
        assert!(matches!(
            &verdicts[2],
            Verdict::Refused(StoreError::PositionMoved { found: 9, .. })
        ));
    }

    #[test]
    fn identical_bytes_are_success_only_when_they_were_sent_before() {
        let one = recording([1]);
        let there = Known {
            position: Some(7),
            is_same: true,
            follows: false,
        };
        let other = Known {
            is_same: false,
            ..there
        };
        let mut judge = Judge::default();
        assert!(matches!(
            judge.judge(&one, &[there]),
            Verdict::Refused(StoreError::Conflict(_))
        ));
        judge.is_resent = true;
        assert!(matches!(judge.judge(&one, &[there]), Verdict::There(at) if at == [7]));
        assert!(matches!(
            judge.judge(&one, &[other]),
            Verdict::Refused(StoreError::Conflict(_))
        ));
    }
}
