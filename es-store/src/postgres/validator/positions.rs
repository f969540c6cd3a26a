//! The positions that a group of recordings finds, and those that its accepted moves leave behind.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::error::StoreError;
use crate::tracking::Tracking;

/// A position, and the tag of the policies for which it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgres) struct Position {
    pub(in crate::postgres) at: u64,
    pub(in crate::postgres) policies: Option<String>,
}

/// The positions of a group, by the names of their rows.
#[derive(Default)]
pub(in crate::postgres) struct Positions<'a> {
    found: HashMap<Cow<'a, str>, Position>,
    /// The states that the positions have, or have passed if an earlier attempt has recorded the
    /// group.
    reached: Vec<Reached<'a>>,
}

/// A state of a position.
struct Reached<'a> {
    row: Cow<'a, str>,
    at: u64,
    /// The tag; the outer `None` if the move does not tell.
    policies: Option<Option<&'a str>>,
}

impl<'a> Positions<'a> {
    /// Records a position that was found.
    pub(in crate::postgres) fn insert(&mut self, row: Cow<'a, str>, position: Position) {
        self.found.insert(row, position);
    }

    /// Returns the positions that were found, with the names of their rows.
    pub(in crate::postgres) fn found(&mut self) -> impl Iterator<Item = (&str, &mut Position)> {
        self.found.iter_mut().map(|(row, found)| (&**row, found))
    }

    /// Finds out whether an earlier attempt has recorded a move: if its end is what was found, or
    /// the start of a later move of the group that was recorded. Call it for the last move first.
    pub(super) fn find_recorded(&mut self, tracking: &'a Tracking) {
        if !self.is_at_end(tracking) && !self.has_reached(tracking) {
            return;
        }
        let Tracking {
            from, to, policies, ..
        } = tracking;
        let policies = policies.as_ref();
        self.reached.push(Reached {
            row: tracking.row(),
            at: *from,
            policies: policies.map(|one| one.expected.as_deref()),
        });
        self.reached.push(Reached {
            row: tracking.row(),
            at: *to,
            policies: policies.map(|one| one.new.as_deref()),
        });
    }

    /// Returns true if an earlier attempt has recorded the move.
    pub(super) fn has_reached(&self, tracking: &Tracking) -> bool {
        let new = tracking.policies.as_ref().map(|one| one.new.as_deref());
        self.reached.iter().any(|reached| {
            let are_same = reached.policies.is_none() || new.is_none() || reached.policies == new;
            reached.row == tracking.row() && reached.at == tracking.to && are_same
        })
    }

    fn is_at_end(&self, tracking: &Tracking) -> bool {
        let found = self.found.get(&*tracking.row());
        if tracking.ends_replay() {
            return found.is_none();
        }
        let new = tracking.policies.as_ref().map(|one| &one.new);
        let at = found.map_or(0, |found| found.at);
        let are_new = |new: &Option<String>| found.is_some_and(|found| found.policies == *new);
        at == tracking.to && new.is_none_or(are_new)
    }

    /// Refuses a move that does not start at the position, or expects other policies.
    pub(super) fn check(&self, tracking: &Tracking) -> Result<(), StoreError> {
        let found = self.found.get(&*tracking.row());
        let at = found.map_or(0, |found| found.at);
        let policies = found.and_then(|found| found.policies.as_ref());
        let are_expected = tracking
            .policies
            .as_ref()
            .is_none_or(|change| change.expected.as_ref() == policies);
        if at == tracking.from && are_expected {
            return Ok(());
        }
        let (upstream, expected) = (&tracking.upstream, tracking.from);
        Err(StoreError::position_moved(upstream, expected, at))
    }

    /// Carries out a move that was accepted.
    pub(super) fn set(&mut self, tracking: &'a Tracking) {
        if tracking.ends_replay() {
            self.found.remove(&*tracking.row());
            return;
        }
        let kept = self.found.remove(&*tracking.row());
        let kept = kept.filter(|kept| kept.at == tracking.to);
        let policies = match &tracking.policies {
            Some(change) => change.new.clone(),
            None => kept.and_then(|kept| kept.policies),
        };
        let at = tracking.to;
        self.found.insert(tracking.row(), Position { at, policies });
    }
}
