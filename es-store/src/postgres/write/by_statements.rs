//! Writing a group by plain statements, which find out what stands against each recording.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use super::columns::{Events, Marks, Moves};
use super::{Write, WriteError};
use crate::committer::Outcomes;
use crate::postgres::judge::{Judge, Known, Verdict};
use crate::postgres::sql::Sql;
use crate::recording::{Recorded, Recording};
use crate::sql::limits::at_most;
use crate::sql::names::quoted;
use crate::tracking::Tracking;

impl Write<'_> {
    /// Writes a group by plain statements: those recordings that are accepted.
    pub(in crate::postgres) fn judged(
        &mut self,
        group: &[&Recording],
        is_resent: bool,
    ) -> Result<Outcomes, WriteError> {
        let has_events = group.iter().any(|one| !one.events.is_empty());
        let begin = match has_events {
            false => "BEGIN".to_owned(),
            true => format!(
                "BEGIN; LOCK TABLE {} IN EXCLUSIVE MODE",
                self.names.path(&self.names.events)
            ),
        };
        let done = self
            .connection
            .client
            .batch_execute(&begin)
            .map_err(WriteError::from)
            .and_then(|()| self.in_transaction(group, is_resent));
        if done.is_err() {
            // Should that fail, the connection is lost, and the transaction with it.
            let _rolled_back = self.connection.client.batch_execute("ROLLBACK");
        }
        done
    }

    fn in_transaction(
        &mut self,
        group: &[&Recording],
        is_resent: bool,
    ) -> Result<Outcomes, WriteError> {
        let mut judge = Judge::new(is_resent);
        let is_new = self.look_at_tracking(group, &mut judge)?;
        let known = self.look_at_events(group)?;
        let mut known = &known[..];
        let mut verdicts = Vec::with_capacity(group.len());
        for one in group {
            let (own, others) = known.split_at(one.events.len().min(known.len()));
            verdicts.push(judge.judge(one, own));
            known = others;
        }
        let accepted: Vec<_> = group
            .iter()
            .zip(&verdicts)
            .filter(|(_, verdict)| matches!(verdict, Verdict::Accepted))
            .map(|(one, _)| *one)
            .collect();
        self.move_positions(&accepted, is_new)?;
        let positions = self.insert(&accepted)?;
        self.lock_there(&verdicts)?;
        let notify = match positions.is_empty() {
            true => String::new(),
            false => format!("NOTIFY {}; ", quoted(&self.names.events)),
        };
        self.connection
            .client
            .batch_execute(&format!("{notify}COMMIT"))?;
        Ok(outcomes(group, verdicts, positions))
    }

    /// Reads the positions in the upstreams, whose rows stay locked. Returns true if some have
    /// none.
    fn look_at_tracking<'g>(
        &mut self,
        group: &[&'g Recording],
        judge: &mut Judge<'g>,
    ) -> Result<bool, WriteError> {
        let trackings = group.iter().flat_map(|one| &one.trackings);
        let upstreams: BTreeMap<&str, ()> = trackings
            .map(|tracking| (tracking.upstream.as_str(), ()))
            .collect();
        if upstreams.is_empty() {
            return Ok(false);
        }
        let wanted: Vec<&str> = upstreams.keys().copied().collect();
        let rows = self.connection.query(Sql::LookTracking, &[&wanted])?;
        for row in &rows {
            let (upstream, found): (String, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
            let found = found.and_then(|found| u64::try_from(found).ok());
            let (Some((upstream, ())), Some(found)) =
                (upstreams.get_key_value(upstream.as_str()), found)
            else {
                let at = format!("of tracking for `{upstream}`");
                return Err(self
                    .rows
                    .label
                    .damaged(at, "its position is no position")
                    .into());
            };
            judge.tracked.insert(*upstream, found);
        }
        Ok(rows.len() < upstreams.len())
    }

    fn look_at_events(&mut self, group: &[&Recording]) -> Result<Vec<Known>, WriteError> {
        let events = Events::of(self.rows.id_type, group.iter().flat_map(|one| &one.events));
        if events.versions.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.connection.query(Sql::Look, &events.params())?;
        let known = |row: &Row| -> Result<Known, WriteError> {
            let position = row.try_get::<_, Option<i64>>(0)?;
            Ok(Known {
                position: position.map(|_| self.rows.position(row, 0)).transpose()?,
                is_same: row.try_get::<_, Option<bool>>(1)?.unwrap_or(false),
                follows: row.try_get(2)?,
            })
        };
        rows.iter().map(known).collect()
    }

    fn move_positions(&mut self, accepted: &[&Recording], is_new: bool) -> Result<(), WriteError> {
        let mut moves: BTreeMap<&str, Tracking> = BTreeMap::new();
        for tracking in accepted.iter().flat_map(|one| &one.trackings) {
            let from = moves
                .get(tracking.upstream.as_str())
                .map_or(tracking.from, |first| first.from);
            let net = Tracking {
                from,
                ..tracking.clone()
            };
            moves.insert(&tracking.upstream, net);
        }
        if moves.is_empty() {
            return Ok(());
        }
        let all: Vec<_> = moves.values().collect();
        let (moves, marks) = (Moves::of(&all), Marks::of(&all));
        if is_new {
            self.connection
                .execute(Sql::StartTracking, &[&moves.upstreams])?;
        }
        let moved = self.connection.execute(
            Sql::MoveTracking,
            &[&moves.upstreams, &moves.froms, &moves.tos],
        )?;
        if moved != all.len() as u64 {
            return Err(WriteError::Race);
        }
        if !marks.upstreams.is_empty() {
            self.connection.execute(
                Sql::KeepUpstream,
                &[
                    &marks.upstreams,
                    &marks.positions,
                    &marks.ids,
                    &marks.versions,
                ],
            )?;
        }
        Ok(())
    }

    /// A commit that was cut off may be seen here before a synchronous standby has it. To lock its
    /// rows makes our own commit wait for the standby, which has both then.
    fn lock_there(&mut self, verdicts: &[Verdict]) -> Result<(), WriteError> {
        let there = |verdict: &Verdict| match verdict {
            Verdict::There(positions) => positions.iter().copied().map(at_most).collect(),
            _ => Vec::new(),
        };
        let there: Vec<i64> = verdicts.iter().flat_map(there).collect();
        if !there.is_empty() {
            self.connection.query(Sql::LockThere, &[&there])?;
        }
        Ok(())
    }

    fn insert(&mut self, accepted: &[&Recording]) -> Result<Vec<u64>, WriteError> {
        let events = Events::of(
            self.rows.id_type,
            accepted.iter().flat_map(|one| &one.events),
        );
        if events.versions.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.connection.query(Sql::Insert, &events.params())?;
        self.positions(&rows, accepted.iter().copied())
    }
}

fn outcomes(group: &[&Recording], verdicts: Vec<Verdict>, positions: Vec<u64>) -> Outcomes {
    let mut positions = positions.into_iter();
    let outcome = |(one, verdict): (&&Recording, Verdict)| match verdict {
        Verdict::Accepted => Ok(Recorded::new(
            positions.by_ref().take(one.events.len()).collect(),
        )),
        Verdict::There(positions) => Ok(Recorded::new(positions)),
        Verdict::Refused(error) => Err(error),
    };
    group.iter().zip(verdicts).map(outcome).collect()
}
