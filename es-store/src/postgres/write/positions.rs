//! Moving positions by plain statements.
//!
//! Concurrency: the rows of the positions are locked before anything is judged, and until the
//! transaction ends. Whoever moves a position, or changes the policies for which it counts, locks
//! its row first. So what is read after that stays as it is. A position without a row cannot be
//! locked. Its row is created with the move, and what was judged before is then compared again.
//!
//! Whoever changes what is set aside of an upstream locks the row of its position, too, and changes
//! it after that. Without such a row nothing is set aside: the recording that does so first creates
//! the row with its move, before it changes anything else.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use super::columns::{Moves, Topics};
use super::{Write, WriteError};
use crate::postgres::sql::Sql;
use crate::postgres::sql::positions::PositionSql;
use crate::postgres::validator::Validator;
use crate::postgres::validator::positions::Position;
use crate::recording::Recording;
use crate::sql::limits::at_most;
use crate::tracking::Tracking;

impl Write<'_> {
    /// Reads the positions of a group with their policies, and locks their rows. Returns true if
    /// some positions have no row.
    pub(super) fn lock_tracking<'g>(
        &mut self,
        group: &[&'g Recording],
        validator: &mut Validator<'g>,
    ) -> Result<bool, WriteError> {
        let trackings = group.iter().flat_map(|one| &one.trackings);
        let wanted: BTreeSet<Cow<'g, str>> = trackings.clone().map(Tracking::row).collect();
        let aside = group.iter().flat_map(|one| &one.set_aside);
        let aside = aside.map(|change| Cow::Borrowed(change.upstream()));
        let locked: BTreeSet<Cow<'g, str>> = wanted.iter().cloned().chain(aside).collect();
        if locked.is_empty() {
            return Ok(false);
        }
        let names: Vec<&str> = locked.iter().map(|row| &**row).collect();
        let rows = self
            .connection
            .query(Sql::Position(PositionSql::Lock), &[&names])?;
        for row in &rows {
            let (name, found): (String, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
            let found = found.and_then(|found| u64::try_from(found).ok());
            let Some(name) = wanted.get(name.as_str()) else {
                continue;
            };
            let Some(at) = found else {
                let at = format!("of tracking for `{name}`");
                let problem = "its position is not a valid position";
                return Err(self.rows.label.damaged(at, problem).into());
            };
            let policies = None;
            let position = Position { at, policies };
            validator.positions.insert(name.clone(), position);
        }
        if trackings.clone().any(|one| one.policies.is_some()) {
            let (names, ats): (Vec<_>, Vec<_>) = validator
                .positions
                .found()
                .map(|(name, found)| (name, at_most(found.at)))
                .unzip();
            let mut policies = self.policies(&names, &ats)?;
            for (name, found) in validator.positions.found() {
                found.policies = policies.remove(name);
            }
        }
        Ok(validator.positions.found().count() < wanted.len())
    }

    /// Carries out the moves of the accepted recordings. Moves of one position are carried out one
    /// after the other.
    pub(super) fn move_positions(
        &mut self,
        accepted: &[&Recording],
        is_new: bool,
    ) -> Result<(), WriteError> {
        let mut rounds: Vec<Vec<&Tracking>> = Vec::new();
        let mut moves_of: HashMap<Cow<'_, str>, usize> = HashMap::new();
        for tracking in accepted.iter().flat_map(|one| &one.trackings) {
            let round = moves_of.entry(tracking.row()).or_default();
            if *round == rounds.len() {
                rounds.push(Vec::new());
            }
            rounds[*round].push(tracking);
            *round += 1;
        }
        for (number, round) in rounds.into_iter().enumerate() {
            self.move_once(round, is_new || number > 0)?;
        }
        Ok(())
    }

    /// Carries out moves of different positions, some of which may have no row yet.
    fn move_once(&mut self, mut round: Vec<&Tracking>, is_new: bool) -> Result<(), WriteError> {
        let topics = Topics::of(&round);
        // Concurrent writers create the rows in the same order.
        round.sort_by_key(|one| one.row());
        let moves = Moves::of(&round);
        if is_new {
            self.connection
                .execute(Sql::Position(PositionSql::Start), &[&moves.rows])?;
        }
        let moved = self.connection.execute(
            Sql::Position(PositionSql::Move),
            &[&moves.rows, &moves.froms, &moves.tos],
        )?;
        if moved != round.len() as u64 {
            return Err(WriteError::Race);
        }
        if is_new {
            self.compare_policies(&round, &moves)?;
        }
        if !topics.put.is_empty() {
            let Topics {
                put_of,
                put,
                covered,
                ..
            } = &topics;
            self.connection.execute(
                Sql::Position(PositionSql::PutTopics),
                &[put_of, put, covered],
            )?;
        }
        if !topics.removed.is_empty() {
            self.connection.execute(
                Sql::Position(PositionSql::RemoveTopics),
                &[&topics.removed_of, &topics.removed],
            )?;
        }
        let Moves {
            rows,
            tos,
            ids,
            versions,
            identities,
            policies,
            ..
        } = &moves;
        if !moves.are_bare() {
            let columns: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
                [rows, tos, ids, versions, identities, policies];
            self.connection
                .execute(Sql::Position(PositionSql::Keep), &columns)?;
        }
        let ended = round.iter().filter(|one| one.ends_replay());
        let ended: Vec<_> = ended.map(|one| one.row()).collect();
        if !ended.is_empty() {
            self.connection
                .execute(Sql::Position(PositionSql::EndReplays), &[&ended])?;
        }
        Ok(())
    }

    /// Fails if other policies are recorded for the start of a move than it expects.
    fn compare_policies(
        &mut self,
        round: &[&Tracking],
        moves: &Moves<'_>,
    ) -> Result<(), WriteError> {
        if round.iter().all(|one| one.policies.is_none()) {
            return Ok(());
        }
        let names: Vec<&str> = moves.rows.iter().map(|row| &**row).collect();
        let found = self.policies(&names, &moves.froms)?;
        let are_expected = |one: &&Tracking| match &one.policies {
            Some(policies) => found.get(&*one.row()) == policies.expected.as_ref(),
            None => true,
        };
        if round.iter().all(are_expected) {
            Ok(())
        } else {
            Err(WriteError::Race)
        }
    }

    /// Returns the policies that are recorded for these positions, by the names of their rows.
    fn policies(
        &mut self,
        names: &[&str],
        ats: &[i64],
    ) -> Result<HashMap<String, String>, WriteError> {
        let rows = self
            .connection
            .query(Sql::Position(PositionSql::Policies), &[&names, &ats])?;
        let policies = |row: &tokio_postgres::Row| Ok((row.try_get(0)?, row.try_get(1)?));
        rows.iter().map(policies).collect()
    }
}
