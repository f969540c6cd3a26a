//! Writing a group by a function of the server: all goes well as a rule, and then it takes one
//! round trip.

use std::collections::{BTreeMap, HashMap};

use super::columns::{Events, Marks, Moves};
use super::{Write, WriteError};
use crate::committer::Outcomes;
use crate::postgres::rows::id_param;
use crate::postgres::sql::Sql;
use crate::recording::{Recorded, Recording};
use crate::sql::limits::at_most;
use crate::stored_event::StoredEvent;
use crate::tracking::Tracking;

impl Write<'_> {
    /// Writes a group by one call of a function, in one round trip. `None`, and nothing is written,
    /// if it has to be judged.
    pub(in crate::postgres) fn append(
        &mut self,
        group: &[&Recording],
    ) -> Result<Option<Outcomes>, WriteError> {
        if let [lone] = group
            && let ([event], []) = (&lone.events[..], &lone.trackings[..])
        {
            return self.append_one(event);
        }
        let (Some(firsts), Some(moves)) = (self.firsts(group), single_moves(group)) else {
            return Ok(None);
        };
        let events = Events::of(self.rows.id_type, group.iter().flat_map(|one| &one.events));
        let (moves, marks) = (Moves::of(&moves), Marks::of(&moves));
        let rows = self.connection.query(
            Sql::Append,
            &[
                events.ids.param(),
                &events.versions,
                &events.topics,
                &events.states,
                firsts.ids.param(),
                &firsts.versions,
                &moves.upstreams,
                &moves.froms,
                &moves.tos,
                &marks.upstreams,
                &marks.positions,
                &marks.ids,
                &marks.versions,
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

    /// Writes a lone event by a call that needs no arrays.
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

    /// The first event of each aggregate, which alone has to be checked against the record; `None`
    /// if some do not follow each other within the group.
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

/// The moves of a group; `None` if it has two of one upstream. They are in the order of upstreams,
/// so that two writers that move several lock the rows in one order.
fn single_moves<'g>(group: &[&'g Recording]) -> Option<Vec<&'g Tracking>> {
    let moves = group.iter().flat_map(|one| &one.trackings);
    let of_upstreams: BTreeMap<_, _> = moves.clone().map(|one| (&one.upstream, one)).collect();
    (of_upstreams.len() == moves.count()).then(|| of_upstreams.into_values().collect())
}
