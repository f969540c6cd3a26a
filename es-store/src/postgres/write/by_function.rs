//! Writing a group by a server-side function. It takes one round trip and succeeds in the usual
//! case.

use std::collections::{BTreeMap, HashMap};

use super::columns::{Events, Moves};
use super::{Write, WriteError};
use crate::committer::Outcomes;
use crate::postgres::rows::id_param;
use crate::postgres::sql::Sql;
use crate::recording::{Recorded, Recording};
use crate::sql::limits::at_most;
use crate::stored_event::StoredEvent;
use crate::tracking::Tracking;

impl Write<'_> {
    /// Writes a group by one call of a function, in one round trip. Returns `None`, having written
    /// nothing, if the group has to be validated by plain statements, or has rare content.
    pub(in crate::postgres) fn append_by_function(
        &mut self,
        group: &[&Recording],
    ) -> Result<Option<Outcomes>, WriteError> {
        if group.iter().any(|one| one.has_aside()) {
            return Ok(None);
        }
        if let [lone] = group
            && let ([event], []) = (&lone.events[..], &lone.trackings[..])
        {
            return self.append_one(event);
        }
        let (Some(firsts), Some(moves)) = (self.firsts(group), single_moves(group)) else {
            return Ok(None);
        };
        let events = Events::of(self.rows.id_type, group.iter().flat_map(|one| &one.events));
        let moves = Moves::of(&moves);
        let rows = self.connection.query(
            Sql::Append,
            &[
                events.ids.param(),
                &events.versions,
                &events.topics,
                &events.states,
                firsts.ids.param(),
                &firsts.versions,
                &moves.rows,
                &moves.froms,
                &moves.tos,
                &moves.ids,
                &moves.versions,
                &moves.identities,
                &moves.expected,
                &moves.policies,
            ],
        )?;
        if let [row] = &rows[..]
            && row.try_get::<_, Option<i64>>(0)?.is_none()
        {
            return Ok(None);
        }
        let mut positions = self.positions(&rows, group.iter().copied())?.into_iter();
        let recorded = |one: &&Recording| {
            Ok(Recorded::new(
                positions.by_ref().take(one.events.len()).collect(),
            ))
        };
        Ok(Some(group.iter().map(recorded).collect()))
    }

    /// Writes a single event by a call without arrays.
    fn append_one(&mut self, event: &StoredEvent) -> Result<Option<Outcomes>, WriteError> {
        let (id, version) = (
            id_param(&event.originator_id),
            at_most(event.originator_version),
        );
        let rows = self.connection.query(
            Sql::AppendOne,
            &[&*id, &version, &&*event.topic, &event.state],
        )?;
        let row = match rows.first() {
            Some(row) if row.try_get::<_, Option<i64>>(0)?.is_some() => row,
            _ => return Ok(None),
        };
        let position = self.rows.position(row, 0)?;
        Ok(Some(vec![Ok(Recorded::new(vec![position]))]))
    }

    /// Returns the first event of each aggregate, which alone has to be checked against the stored
    /// events; `None` if the group itself has a gap.
    fn firsts<'g>(&self, group: &[&'g Recording]) -> Option<Events<'g>> {
        let mut last = HashMap::new();
        let mut firsts = Vec::new();
        for event in group.iter().flat_map(|one| &one.events) {
            let version = event.originator_version;
            match last.insert(&event.originator_id, version) {
                None => firsts.push(event),
                Some(before) if before.checked_add(1) == Some(version) => {}
                Some(_) => return None,
            }
        }
        Some(Events::of(self.rows.id_type, firsts))
    }
}

/// Returns the moves of a group; `None` if two of them are of the same position, or one of them
/// does more than move a position. They are sorted by position, so that concurrent writers lock the
/// rows in the same order.
fn single_moves<'g>(group: &[&'g Recording]) -> Option<Vec<&'g Tracking>> {
    let moves = group.iter().flat_map(|one| &one.trackings);
    let is_rare = |one: &Tracking| {
        let policies = one.policies.as_ref();
        one.ends_replay() || policies.is_some_and(|policies| !policies.topics.is_empty())
    };
    if moves.clone().any(is_rare) {
        return None;
    }
    let of_rows: BTreeMap<_, _> = moves.clone().map(|one| (one.row(), one)).collect();
    (of_rows.len() == moves.count()).then(|| of_rows.into_values().collect())
}
