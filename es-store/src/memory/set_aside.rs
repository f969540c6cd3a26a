//! The events that a follower has set aside, in memory, and the operations on it.

mod change;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::followed::Followed;
use crate::operation::{Operation, OperationKind};
use crate::set_aside::{SetAside, SetAsideQuery, Waiting};

/// The events that are set aside, and the operations.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// The rows of each upstream, by its name.
    upstreams: BTreeMap<String, Rows>,
    operations: Vec<Operation>,
}

/// The rows of one upstream.
#[derive(Debug, Default)]
struct Rows {
    /// The rows by their positions.
    all: BTreeMap<u64, SetAside>,
    /// The positions of the rows that wait, by their sequences. No set is empty.
    waiting: BTreeMap<String, BTreeSet<u64>>,
}

impl Rows {
    /// Puts a row in place of the one at its position, or removes that. Returns the former row.
    fn set(&mut self, position: u64, row: Option<SetAside>) -> Option<SetAside> {
        let former = self.all.remove(&position);
        if let Some(former) = former.as_ref().filter(|row| row.decision.is_none())
            && let Some(positions) = self.waiting.get_mut(&former.sequence)
        {
            positions.remove(&position);
            if positions.is_empty() {
                self.waiting.remove(&former.sequence);
            }
        }
        if let Some(row) = row {
            if row.decision.is_none() {
                let positions = self.waiting.entry(row.sequence.clone()).or_default();
                positions.insert(position);
            }
            self.all.insert(position, row);
        }
        former
    }

    /// Returns the position of the first event of a sequence that waits.
    fn first(&self, sequence: &str) -> Option<u64> {
        self.waiting.get(sequence)?.first().copied()
    }

    /// Returns the row at `position`, if it waits.
    fn waiting_at(&self, position: u64) -> Option<&SetAside> {
        let row = self.all.get(&position);
        row.filter(|row| row.decision.is_none())
    }

    /// Returns true if the row waits and is the first of its sequence.
    fn is_first(&self, row: &SetAside) -> bool {
        row.decision.is_none() && self.first(&row.sequence) == Some(row.position)
    }

    /// Returns true if the query selects the row, whatever its upstream and position are.
    fn is_selected(&self, row: &SetAside, query: &SetAsideQuery) -> bool {
        let SetAsideQuery {
            decided,
            sequences,
            firsts,
            due,
            ..
        } = query;
        decided.is_none_or(|decided| decided == row.decision.is_some())
            && sequences
                .as_ref()
                .is_none_or(|all| all.contains(&row.sequence))
            && due.is_none_or(|time| row.due.is_some_and(|due| due <= time))
            && (!firsts || self.is_first(row))
    }

    fn waiting(&self) -> Waiting {
        let count = self.waiting.values().map(BTreeSet::len).sum::<usize>();
        let firsts = self.waiting.values().filter_map(BTreeSet::first);
        let due = firsts.filter_map(|first| self.all.get(first)?.due);
        Waiting::new(count as u64, due.min())
    }
}

impl Aside {
    /// Records operations.
    pub(super) fn operate(&mut self, operations: &[Operation]) {
        for operation in operations {
            let id = self.operations.len() as u64 + 1;
            let operation = operation.clone();
            self.operations.push(Operation { id, ..operation });
        }
    }

    /// Returns the last operations, the last one first.
    pub(super) fn operations(&self, limit: usize) -> Vec<Operation> {
        self.operations.iter().rev().take(limit).cloned().collect()
    }

    /// Returns the rows of a selection.
    pub(super) fn select(&self, query: &SetAsideQuery) -> Vec<SetAside> {
        let first = query.above.map_or(Some(0), |above| above.checked_add(1));
        let last = query.up_to.unwrap_or(u64::MAX);
        let Some(first) = first.filter(|first| *first <= last) else {
            return Vec::new();
        };
        let is_wanted = |name: &String| query.upstream.as_ref().is_none_or(|of| of == name);
        let upstreams = self.upstreams.iter().filter(|(name, _)| is_wanted(name));
        let rows = upstreams.flat_map(|(_, rows)| {
            let range = rows.all.range(first..=last).map(|(_, row)| row);
            range.filter(|row| rows.is_selected(row, query))
        });
        let mut rows: Vec<_> = rows.collect();
        if query.due.is_some() {
            rows.sort_by_key(|row| row.due);
        }
        rows.truncate(query.limit.unwrap_or(usize::MAX));
        rows.into_iter().cloned().collect()
    }

    /// Adds what is set aside of an upstream, and the operations on it.
    pub(super) fn complete(&self, followed: &mut Followed, upstream: &str) {
        if let Some(rows) = self.upstreams.get(upstream) {
            followed.waiting = rows.waiting();
        }
        let mut last = self.operations.iter().rev();
        let is_of = |one: &&Operation| one.upstream == upstream || one.upstream.is_empty();
        let standing = |one: &&Operation| one.kind.is_standing() && is_of(one);
        followed.standing = last.clone().find(standing).cloned();
        let turn = |one: &&Operation| match one.kind {
            OperationKind::Stopped => one.upstream == upstream,
            kind => kind == OperationKind::Resumed && is_of(one),
        };
        let stopped = last.clone().find(turn).cloned();
        followed.stopped = stopped.filter(|one| one.kind == OperationKind::Stopped);
        let began = |one: &&Operation| one.kind == OperationKind::Began && one.upstream == upstream;
        followed.began = last.find(began).and_then(|one| one.position);
    }
}
