//! The rebuild: new tables beside the old ones, and the switch to the new ones.

use super::meta::{self, Key};
use super::positions::{self, Position};
use super::{Make, Tables, aside, make_tables, process};
use crate::error::StoreError;
use crate::followed::{Followed, PoliciesMove, PolicySet, PolicyTopic};
use crate::rebuild_lock::RebuildLock;
use crate::recording::Recording;
use crate::role::REBUILD;
use crate::set_aside::SetAsideChange;
use crate::sql::names::{Stage, quoted};
use crate::sql::transaction::{Access, End, Transaction};
use crate::tracking::Tracking;

/// Processes the events that the old tables have and the new ones lack, in the transaction of the
/// switch. Its arguments are the upstream's index and the two positions. Returns true on success.
pub type CatchUp<'a> = &'a mut dyn FnMut(&mut Transaction<'_>, usize, u64, u64) -> bool;

/// The policies of one upstream before and after a switch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoliciesSwitch<'a> {
    /// The name of the application that is followed.
    pub upstream: &'a str,
    /// The topics that must be recorded for the position of the old tables, in any order. May be
    /// empty.
    pub replaced: Vec<PolicyTopic>,
    /// The tag that must be recorded for the position of the new tables; `None` if none may be.
    pub rebuilt: Option<String>,
    /// The policies that are recorded afterwards, in place of all others.
    pub new: PolicySet,
}

impl<'a> PoliciesSwitch<'a> {
    /// Creates the switch from these topics, and from the tag of the rebuild, to the policies
    /// `new`.
    pub fn new(
        upstream: &'a str,
        replaced: Vec<PolicyTopic>,
        rebuilt: Option<String>,
        new: PolicySet,
    ) -> Self {
        Self {
            upstream,
            replaced,
            rebuilt,
            new,
        }
    }
}

impl Tables {
    /// Takes the lock of a rebuild, or returns `None` if another owner has it.
    ///
    /// # Errors
    /// Fails when the store fails.
    pub fn lock_rebuild(&self) -> Result<Option<RebuildLock>, StoreError> {
        self.recorder.lock_rebuild()
    }

    /// Creates the new tables, unless an interrupted rebuild has left some. Returns the number of
    /// the rebuild.
    ///
    /// # Errors
    /// Fails when `make` or the store fails.
    pub fn begin_rebuild(&self, make: Make<'_>) -> Result<u64, StoreError> {
        let mut number = 0;
        self.recorder.transact(Access::Write, &mut |tx| {
            number = rebuilds(tx)?;
            if meta::get(tx, Key::Rebuilding)?.is_some() {
                return Ok(End::Rollback);
            }
            number += 1;
            meta::put(tx, Key::Rebuilds, &number.to_string())?;
            let names = make_tables(tx, Stage::Rebuild(number), make)?;
            meta::put(tx, Key::Rebuilding, &names.join("\n"))?;
            Ok(End::Commit)
        })?;
        Ok(number)
    }

    /// Returns the position of `upstream` up to which the new tables are, the event there, and the
    /// tag of the policies that were given the events.
    ///
    /// # Errors
    /// Fails when the store fails.
    pub fn rebuilt(&self, upstream: &str) -> Result<Followed, StoreError> {
        let mut followed = Followed::default();
        self.recorder.transact(Access::Write, &mut |tx| {
            let position = Position::rebuild(upstream);
            let at = position.lock(tx)?;
            followed = Followed::new(Some(at));
            followed.event = position.event(tx, at)?;
            followed.policies = position.policies(tx, at)?;
            Ok(End::Commit)
        })?;
        Ok(followed)
    }

    /// Does the same as [`process`](Tables::process), for the new tables.
    ///
    /// # Errors
    /// Fails as `process` does, and when there are no new tables.
    pub fn process_rebuild<R: Into<Recording>>(
        &self,
        start: &Tracking,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> Option<R>,
    ) -> Result<(), StoreError> {
        self.recorder.transact(Access::Write, &mut |tx| {
            enter_rebuild(tx)?;
            process(tx, &Position::rebuild(&start.upstream), start, work)
        })
    }

    /// Does the same as [`retry`](Tables::retry), for an event that the rebuild has set aside.
    ///
    /// # Errors
    /// Fails as `retry` does, and when there are no new tables.
    pub fn retry_rebuild(
        &self,
        upstream: &str,
        position: u64,
        policies: Option<&PoliciesMove>,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> bool,
    ) -> Result<(), StoreError> {
        self.recorder.transact(Access::Write, &mut |tx| {
            enter_rebuild(tx)?;
            let rebuild = Position::rebuild(upstream);
            rebuild.lock_for(tx, policies)?;
            aside::retry(tx, &rebuild, position, work)
        })
    }

    /// Changes what the rebuild has set aside, without moving its position.
    ///
    /// # Errors
    /// Fails with [`StoreError::SetAsideChanged`] when a change does not find what it expects, when
    /// there are no new tables, and when the store fails.
    pub fn change_rebuild(
        &self,
        upstream: &str,
        changes: &[SetAsideChange],
    ) -> Result<(), StoreError> {
        self.recorder.transact(Access::Write, &mut |tx| {
            enter_rebuild(tx)?;
            let position = Position::rebuild(upstream);
            position.lock(tx)?;
            aside::change(tx, &position, changes)?;
            Ok(End::Commit)
        })
    }

    /// Changes what the rebuild has set aside in the transaction of its [`switch`](Self::switch),
    /// while it catches up.
    ///
    /// # Errors
    /// Fails as [`change_rebuild`](Self::change_rebuild) does.
    pub fn change_while_catching_up(
        tx: &mut Transaction<'_>,
        upstream: &str,
        changes: &[SetAsideChange],
    ) -> Result<(), StoreError> {
        aside::change(tx, &Position::rebuild(upstream), changes)
    }

    /// Replaces the old tables by the new ones of the rebuild `number`, together with their
    /// positions, in one transaction. The positions of the old tables cannot move meanwhile. If
    /// they are ahead, `catch_up` is called first. Returns true if the new tables are in use, also
    /// if they were before.
    ///
    /// Each upstream is given with the policies that must be recorded, and those for which its
    /// position counts afterwards. Topics that were taken out are forgotten, too: the new tables
    /// have all their events, or none. The rows that the rebuild has set aside take the place of
    /// those that wait; decisions stay.
    ///
    /// Concurrency: whoever changes the policies has the position locked. They are compared after
    /// the lock was taken, so nobody makes a topic live between that and the commit, and no event
    /// is processed in the old tables for a topic that the new ones lack.
    ///
    /// On PostgreSQL it waits only a moment for those who use the old tables, because everyone else
    /// who wants them queues behind it. Call it again after a pause, for as long as a lock may be
    /// waited for.
    ///
    /// # Errors
    /// Fails with [`StoreError::PositionMoved`] when other policies are recorded than those that
    /// must be, and with [`StoreError::Locked`] when others use the old tables. Fails when the
    /// rebuild was ended by somebody else, and when the store fails. Then nothing has changed,
    /// unless the connection was lost during the commit.
    pub fn switch(
        &self,
        number: u64,
        upstreams: &[PoliciesSwitch<'_>],
        catch_up: CatchUp<'_>,
    ) -> Result<bool, StoreError> {
        let mut is_done = false;
        self.recorder.transact(Access::Write, &mut |tx| {
            is_done = meta::number(tx, Key::Rebuilt)? == number;
            if is_done {
                return Ok(End::Rollback);
            }
            let rebuilding = enter_rebuild(tx)?;
            if rebuilds(tx)? != number {
                return Err(ended(tx));
            }
            for (index, policies) in upstreams.iter().enumerate() {
                let live = Position::live(policies.upstream);
                let rebuild = Position::rebuild(policies.upstream);
                let (processed, rebuilt) = (live.lock(tx)?, rebuild.lock(tx)?);
                live.expect_topics(tx, processed, &policies.replaced)?;
                rebuild.expect_policies(tx, rebuilt, policies.rebuilt.as_deref())?;
                if processed > rebuilt {
                    if !catch_up(tx, index, rebuilt, processed) {
                        return Ok(End::Rollback);
                    }
                } else {
                    live.set(tx, rebuilt)?;
                    live.take_event_of(tx, &rebuild)?;
                }
                aside::take_over(tx, &live, &rebuild)?;
                live.set_policies(tx, processed.max(rebuilt), &policies.new)?;
            }
            rename(tx, &rebuilding)?;
            meta::put(tx, Key::Rebuilt, &number.to_string())?;
            forget_rebuild(tx)?;
            is_done = true;
            Ok(End::Commit)
        })?;
        Ok(is_done)
    }

    /// Drops the new tables of an interrupted rebuild. Returns true if there were any.
    ///
    /// # Errors
    /// Fails as [`switch`](Self::switch) does.
    pub fn discard_rebuild(&self) -> Result<bool, StoreError> {
        let mut was_there = false;
        self.recorder.transact(Access::Write, &mut |tx| {
            let Some(names) = meta::get(tx, Key::Rebuilding)? else {
                return Ok(End::Rollback);
            };
            was_there = true;
            let stage = Stage::Rebuild(rebuilds(tx)?);
            // One of them may refer to a table that is in use.
            tx.begin_renames()?;
            drop_tables(tx, stage, &names)?;
            tx.end_renames()?;
            forget_rebuild(tx)?;
            Ok(End::Commit)
        })?;
        Ok(was_there)
    }
}

/// Makes the transaction use the new tables. Returns their names, one a line.
fn enter_rebuild(tx: &mut Transaction<'_>) -> Result<String, StoreError> {
    let Some(names) = meta::get(tx, Key::Rebuilding)? else {
        return Err(tx.misconfigured("the rebuild was ended or discarded by another program"));
    };
    let number = rebuilds(tx)?;
    tx.enter(Stage::Rebuild(number));
    Ok(names)
}

fn ended(tx: &Transaction<'_>) -> StoreError {
    tx.misconfigured("the rebuild was ended or discarded by somebody else")
}

/// Returns the number of rebuilds that were begun, which is also the number of the last one.
fn rebuilds(tx: &mut Transaction<'_>) -> Result<u64, StoreError> {
    meta::number(tx, Key::Rebuilds)
}

fn rename(tx: &mut Transaction<'_>, rebuilding: &str) -> Result<(), StoreError> {
    let stage = Stage::Rebuild(rebuilds(tx)?);
    tx.begin_renames()?;
    let old = meta::get(tx, Key::Tables)?.unwrap_or_default();
    drop_tables(tx, Stage::Live, &old)?;
    for name in meta::lines(rebuilding) {
        let new = tx.names().path(&stage.physical(name));
        let sql = format!("ALTER TABLE {new} RENAME TO {}", quoted(name));
        tx.execute(&sql, &[]).map_err(|error| error.problem)?;
    }
    tx.end_renames()?;
    meta::put(tx, Key::Tables, rebuilding)
}

/// Drops tables, the last one first, because a later table may refer to an earlier one.
fn drop_tables(tx: &mut Transaction<'_>, stage: Stage, names: &str) -> Result<(), StoreError> {
    for name in meta::lines(names).rev() {
        let sql = format!(
            "DROP TABLE IF EXISTS {}",
            tx.names().path(&stage.physical(name))
        );
        tx.execute(&sql, &[]).map_err(|error| error.problem)?;
    }
    Ok(())
}

fn forget_rebuild(tx: &mut Transaction<'_>) -> Result<(), StoreError> {
    meta::remove(tx, Key::Rebuilding)?;
    aside::remove_of_rebuild(tx, REBUILD)?;
    positions::remove_of_rebuild(tx)
}
