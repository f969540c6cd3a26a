//! The changes of what is set aside, in memory: all of a recording or none.

use super::{Aside, Rows};
use crate::error::StoreError;
use crate::operation::Operation;
use crate::recording::Recording;
use crate::set_aside::{Sequences, SetAside, SetAsideChange};

/// The rows that changes have replaced, in the order of the changes.
#[derive(Default)]
pub(in crate::memory) struct Replaced(Vec<(String, u64, Option<SetAside>)>);

impl Aside {
    /// Carries out all of the changes, or none if one of them does not find what it expects.
    pub(in crate::memory) fn change(
        &mut self,
        changes: &[SetAsideChange],
    ) -> Result<Replaced, StoreError> {
        let (mut replaced, mut sequences) = (Replaced::default(), Sequences::default());
        for change in changes {
            let upstream = change.upstream();
            if !self.upstreams.contains_key(upstream) {
                self.upstreams.insert(upstream.to_owned(), Rows::default());
            }
            let rows = self.upstreams.get_mut(upstream);
            let new = rows
                .as_deref()
                .and_then(|rows| rows.after(change, &mut sequences));
            let (Some(rows), Some(new)) = (rows, new) else {
                self.take_back(replaced);
                return Err(change.refused());
            };
            for (position, row) in new {
                let former = rows.set(position, row);
                replaced.0.push((upstream.to_owned(), position, former));
            }
        }
        Ok(replaced)
    }

    /// Undoes changes.
    pub(in crate::memory) fn take_back(&mut self, replaced: Replaced) {
        for (upstream, position, former) in replaced.0.into_iter().rev() {
            if let Some(rows) = self.upstreams.get_mut(&upstream) {
                rows.set(position, former);
            }
        }
    }

    /// Returns true if the changes and operations of a recording are recorded.
    pub(in crate::memory) fn has(&self, recording: &Recording) -> bool {
        let nothing = Rows::default();
        let mut changes = recording.set_aside.iter();
        let are_made = changes.all(|change| {
            let rows = self.upstreams.get(change.upstream());
            rows.unwrap_or(&nothing).has(change)
        });
        let is_recorded = |one: &Operation| {
            let mut all = self.operations.iter();
            all.any(|other| {
                Operation {
                    id: 0,
                    ..other.clone()
                } == Operation {
                    id: 0,
                    ..one.clone()
                }
            })
        };
        are_made && recording.operations.iter().all(is_recorded)
    }
}

impl Rows {
    /// Returns the rows that a change puts in the place of others, or `None` if it does not find
    /// what it expects.
    fn after<'a>(
        &self,
        change: &'a SetAsideChange,
        sequences: &mut Sequences<'a>,
    ) -> Option<Vec<(u64, Option<SetAside>)>> {
        let position = change.position();
        let waiting = self.waiting_at(position);
        let first = waiting.filter(|row| self.is_first(row));
        let row = match change {
            SetAsideChange::Put { event, behind } => {
                let is_expected =
                    !sequences.are_new_with(event) || self.first(&event.sequence) == *behind;
                let is_new = !self.all.contains_key(&position);
                (is_new && is_expected).then(|| event.as_ref().clone())?
            }
            SetAsideChange::Failed {
                attempts,
                due,
                last,
                error,
                ..
            } => SetAside {
                attempts: *attempts,
                due: *due,
                last: *last,
                error: error.clone(),
                ..first
                    .filter(|row| row.attempts.checked_add(1) == Some(*attempts))?
                    .clone()
            },
            SetAsideChange::Done { .. } => return first.map(|_| vec![(position, None)]),
            SetAsideChange::Decide { decision, .. } => waiting?.clone().decided(decision.clone()),
            SetAsideChange::Due { due, .. } => SetAside {
                due: Some(*due),
                ..waiting?.clone()
            },
            SetAsideChange::Forget { above, .. } => {
                let lost = self.all.keys().filter(|at| *at > above);
                return Some(lost.map(|at| (*at, None)).collect());
            }
        };
        Some(vec![(position, Some(row))])
    }

    /// Returns true if a change is recorded.
    fn has(&self, change: &SetAsideChange) -> bool {
        let row = self.all.get(&change.position());
        match change {
            SetAsideChange::Put { .. } => row.is_some(),
            SetAsideChange::Failed { attempts, last, .. } => {
                row.is_some_and(|row| row.attempts == *attempts && row.last == *last)
            }
            SetAsideChange::Done { .. } => row.is_none(),
            SetAsideChange::Decide { decision, .. } => {
                row.is_some_and(|row| row.decision.as_ref() == Some(decision))
            }
            SetAsideChange::Due { due, .. } => row.is_some_and(|row| row.due == Some(*due)),
            SetAsideChange::Forget { above, .. } => self.all.keys().all(|at| at <= above),
        }
    }
}
