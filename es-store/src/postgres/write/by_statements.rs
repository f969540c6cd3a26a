//! Writing a group by plain statements, which find the reason why a recording is refused.

use tokio_postgres::Row;

use super::columns::Events;
use super::{Write, WriteError};
use crate::committer::Outcomes;
use crate::postgres::sql::Sql;
use crate::postgres::validator::{Existing, Validation, Validator};
use crate::recording::{Recorded, Recording};
use crate::sql::limits::at_most;
use crate::sql::names::quoted;

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
        if is_resent || group.iter().any(|one| one.is_resent) {
            validator.has_aside = self.has_aside(group)?;
        }
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
        self.record_aside(group, &validations)?;
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
