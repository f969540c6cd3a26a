//! Writing a group by plain statements, which find the reason why a recording is refused.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use super::columns::{Events, Moves, UpstreamEvents};
use super::{Write, WriteError};
use crate::committer::Outcomes;
use crate::postgres::sql::Sql;
use crate::postgres::validator::{Existing, Validation, Validator};
use crate::recording::{Recorded, Recording};
use crate::sql::limits::at_most;
use crate::sql::names::quoted;
use crate::tracking::Tracking;

impl Write<'_> {
    /// Validates a group and writes the accepted recordings, by plain statements.
    pub(in crate::postgres) fn append_by_statements(
        &mut self,
        group: &[&Recording],
        is_resent: bool,
    ) -> Result<Outcomes, WriteError> {
        let has_events = group.iter().any(|one| !one.events.is_empty());
        let begin = if has_events {
            let events = self.names.path(&self.names.events);
            format!("BEGIN; LOCK TABLE {events} IN EXCLUSIVE MODE")
        } else {
            "BEGIN".to_owned()
        };
        let done = self
            .connection
            .client
            .batch_execute(&begin)
            .map_err(WriteError::from)
            .and_then(|()| self.in_transaction(group, is_resent));
        if done.is_err() {
            // If the rollback fails, the connection is lost, and the transaction with it.
            let _rolled_back = self.connection.client.batch_execute("ROLLBACK");
        }
        done
    }

    fn in_transaction(
        &mut self,
        group: &[&Recording],
        is_resent: bool,
    ) -> Result<Outcomes, WriteError> {
        let mut validator = Validator::new(is_resent);
        let is_new = self.lock_tracking(group, &mut validator)?;
        validator.find_recorded_moves(group);
        let existing = self.find_existing(group)?;
        let mut existing = &existing[..];
        let mut validations = Vec::with_capacity(group.len());
        for one in group {
            let (own, others) = existing.split_at(one.events.len().min(existing.len()));
            validations.push(validator.validate(one, own));
            existing = others;
        }
        let accepted: Vec<_> = group
            .iter()
            .zip(&validations)
            .filter(|(_, validation)| matches!(validation, Validation::Accepted))
            .map(|(one, _)| *one)
            .collect();
        self.move_positions(&accepted, is_new)?;
        let positions = self.insert(&accepted)?;
        self.lock_recorded(&validations)?;
        let notify = if positions.is_empty() {
            String::new()
        } else {
            format!("NOTIFY {}; ", quoted(&self.names.events))
        };
        self.connection
            .client
            .batch_execute(&format!("{notify}COMMIT"))?;
        Ok(outcomes(group, validations, positions))
    }

    /// Reads the positions in the upstreams and locks their rows. Returns true if some upstreams
    /// have no row.
    fn lock_tracking<'g>(
        &mut self,
        group: &[&'g Recording],
        validator: &mut Validator<'g>,
    ) -> Result<bool, WriteError> {
        let trackings = group.iter().flat_map(|one| &one.trackings);
        let upstreams: BTreeMap<&str, ()> = trackings
            .map(|tracking| (tracking.upstream.as_str(), ()))
            .collect();
        if upstreams.is_empty() {
            return Ok(false);
        }
        let wanted: Vec<&str> = upstreams.keys().copied().collect();
        let rows = self.connection.query(Sql::LockTracking, &[&wanted])?;
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
                    .damaged(at, "its position is not a valid position")
                    .into());
            };
            validator.tracked.insert(*upstream, found);
        }
        Ok(rows.len() < upstreams.len())
    }

    fn find_existing(&mut self, group: &[&Recording]) -> Result<Vec<Existing>, WriteError> {
        let events = Events::of(self.rows.id_type, group.iter().flat_map(|one| &one.events));
        if events.versions.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.connection.query(Sql::FindExisting, &events.params())?;
        let existing = |row: &Row| -> Result<Existing, WriteError> {
            let position = row.try_get::<_, Option<i64>>(0)?;
            Ok(Existing {
                position: position.map(|_| self.rows.position(row, 0)).transpose()?,
                is_same: row.try_get::<_, Option<bool>>(1)?.unwrap_or(false),
                follows: row.try_get(2)?,
            })
        };
        rows.iter().map(existing).collect()
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
        let (moves, upstream_events) = (Moves::of(&all), UpstreamEvents::of(&all));
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
        if !upstream_events.upstreams.is_empty() {
            self.connection.execute(
                Sql::KeepUpstream,
                &[
                    &upstream_events.upstreams,
                    &upstream_events.positions,
                    &upstream_events.ids,
                    &upstream_events.versions,
                ],
            )?;
        }
        Ok(())
    }

    /// Locks the rows of an earlier attempt whose connection was lost. They may be visible here
    /// before a synchronous standby has them. With the lock, our own commit waits for the standby,
    /// which then has both.
    fn lock_recorded(&mut self, validations: &[Validation]) -> Result<(), WriteError> {
        let recorded = |validation: &Validation| match validation {
            Validation::AlreadyRecorded(positions) => {
                positions.iter().copied().map(at_most).collect()
            }
            _ => Vec::new(),
        };
        let recorded: Vec<i64> = validations.iter().flat_map(recorded).collect();
        if !recorded.is_empty() {
            self.connection.query(Sql::LockRecorded, &[&recorded])?;
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
        let positions = self.positions(&rows, accepted.iter().copied())?;
        let last = match rows.first() {
            Some(row) => row.try_get::<_, Option<i64>>(3)?.unwrap_or(0),
            None => 0,
        };
        if positions.iter().any(|position| at_most(*position) <= last) {
            return Err(self.rows.label.sequence_behind(self.names).into());
        }
        Ok(positions)
    }
}

fn outcomes(group: &[&Recording], validations: Vec<Validation>, positions: Vec<u64>) -> Outcomes {
    let mut positions = positions.into_iter();
    let outcome = |(one, validation): (&&Recording, Validation)| match validation {
        Validation::Accepted => Ok(Recorded::new(
            positions.by_ref().take(one.events.len()).collect(),
        )),
        Validation::AlreadyRecorded(positions) => Ok(Recorded::new(positions)),
        Validation::Refused(error) => Err(error),
    };
    group.iter().zip(validations).map(outcome).collect()
}
