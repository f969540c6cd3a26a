//! The events that a follower has set aside, in memory, and the operations on it.

use std::collections::BTreeMap;

use crate::error::StoreError;
use crate::followed::Followed;
use crate::operation::{Operation, OperationKind};
use crate::set_aside::{SetAside, SetAsideChange, SetAsideQuery, Waiting};

/// The events that are set aside, and the operations.
#[derive(Debug, Clone, Default)]
pub(super) struct Aside {
    /// The rows by upstream and position.
    rows: BTreeMap<(String, u64), SetAside>,
    operations: Vec<Operation>,
}

impl Aside {
    /// Returns what is set aside after these changes, or `None` if there are none.
    pub(super) fn changed(&self, changes: &[SetAsideChange]) -> Result<Option<Self>, StoreError> {
        if changes.is_empty() {
            return Ok(None);
        }
        let mut changed = self.clone();
        let mut compared = Vec::new();
        for change in changes {
            let is_expected = match change {
                SetAsideChange::Put { event, behind } => {
                    let sequence = (event.upstream.as_str(), event.sequence.as_str());
                    let is_again = compared.contains(&sequence);
                    compared.push(sequence);
                    is_again
                        || event.decision.is_some()
                        || self.first(&event.upstream, &event.sequence) == *behind
                }
                _ => true,
            };
            if !is_expected || !changed.change(change) {
                return Err(StoreError::set_aside_changed(
                    change.upstream(),
                    change.position(),
                ));
            }
        }
        Ok(Some(changed))
    }

    /// Carries out a change. Returns false if it does not find what it expects.
    fn change(&mut self, change: &SetAsideChange) -> bool {
        let (upstream, position) = (change.upstream(), change.position());
        let key = (upstream.to_owned(), position);
        let waits = self
            .rows
            .get(&key)
            .is_some_and(|row| row.decision.is_none());
        let is_first = || {
            let row = self.rows.get(&key)?;
            Some(self.first(upstream, &row.sequence) == Some(position))
        };
        match change {
            SetAsideChange::Put { event, .. } => {
                let is_new = !self.rows.contains_key(&key);
                self.rows
                    .entry(key)
                    .or_insert_with(|| event.as_ref().clone());
                return is_new;
            }
            SetAsideChange::Failed {
                attempts,
                due,
                last,
                error,
                ..
            } => {
                let is_next = is_first() == Some(true);
                match self.rows.get_mut(&key) {
                    Some(row) if is_next && row.attempts + 1 == *attempts => {
                        (row.attempts, row.due, row.last) = (*attempts, *due, *last);
                        row.error.clone_from(error);
                    }
                    _ => return false,
                }
            }
            SetAsideChange::Done { .. } => {
                if is_first() != Some(true) {
                    return false;
                }
                self.rows.remove(&key);
            }
            SetAsideChange::Decide { decision, .. } => match self.rows.get_mut(&key) {
                Some(row) if waits => row.decision = Some(decision.clone()),
                _ => return false,
            },
            SetAsideChange::Due { due, .. } => match self.rows.get_mut(&key) {
                Some(row) if waits => row.due = Some(*due),
                _ => return false,
            },
            SetAsideChange::Forget { above, .. } => {
                self.rows
                    .retain(|(of, at), _| of != upstream || at <= above);
            }
        }
        true
    }

    /// Returns the position of the first event of a sequence that waits.
    fn first(&self, upstream: &str, sequence: &str) -> Option<u64> {
        let mut rows = self.rows.values();
        let first = rows.find(|row| {
            row.upstream == upstream && row.sequence == sequence && row.decision.is_none()
        });
        first.map(|row| row.position)
    }

    /// Records operations.
    pub(super) fn operate(&mut self, operations: &[Operation]) {
        for operation in operations {
            let id = self.operations.len() as u64 + 1;
            self.operations.push(Operation {
                id,
                ..operation.clone()
            });
        }
    }

    /// Returns the last operations, the last one first.
    pub(super) fn operations(&self, limit: usize) -> Vec<Operation> {
        self.operations.iter().rev().take(limit).cloned().collect()
    }

    /// Returns the rows of a selection.
    pub(super) fn select(&self, query: &SetAsideQuery) -> Vec<SetAside> {
        let is_selected = |row: &&SetAside| {
            let sequences = query.sequences.as_ref();
            query.upstream.as_ref().is_none_or(|of| *of == row.upstream)
                && query
                    .decided
                    .is_none_or(|decided| decided == row.decision.is_some())
                && sequences.is_none_or(|all| all.contains(&row.sequence))
                && query.above.is_none_or(|above| row.position > above)
                && query.up_to.is_none_or(|up_to| row.position <= up_to)
                && query
                    .due
                    .is_none_or(|time| row.due.is_some_and(|due| due <= time))
                && (!query.firsts || self.first(&row.upstream, &row.sequence) == Some(row.position))
        };
        let limit = query.limit.unwrap_or(usize::MAX);
        let rows = self.rows.values().filter(is_selected);
        rows.take(limit).cloned().collect()
    }

    /// Adds what is set aside of an upstream, and the operations on it.
    pub(super) fn complete(&self, followed: &mut Followed, upstream: &str) {
        let waiting = self.rows.values();
        let waiting = waiting.filter(|row| row.upstream == upstream && row.decision.is_none());
        let is_first = |row: &&SetAside| self.first(upstream, &row.sequence) == Some(row.position);
        let due = waiting.clone().filter(is_first).filter_map(|row| row.due);
        followed.waiting = Waiting::new(waiting.clone().count() as u64, due.min());
        let mut last = self.operations.iter().rev();
        let is_of = |one: &&Operation| one.upstream == upstream || one.upstream.is_empty();
        let standing = |one: &&Operation| one.kind.is_standing() && is_of(one);
        followed.standing = last.clone().find(standing).cloned();
        let began = |one: &&Operation| one.kind == OperationKind::Began && is_of(one);
        followed.began = last.rfind(began).and_then(|one| one.position);
    }
}
