//! The tables of a projection. They are created once, changed in the transaction that moves the
//! position, and rebuilt beside the old ones.
//!
//! The position of a rebuild is recorded in a row of tracking of its own, with `__rebuild__` in
//! front of the upstream's name. The table of settings lists the tables, and those that are being
//! rebuilt.
//!
//! All statements run on every SQL database, in the transaction that the store opens.

mod aside;
mod meta;
mod positions;
mod rebuild;

use std::sync::Arc;

use self::meta::Key;
use self::positions::Position;
pub use self::rebuild::{CatchUp, PoliciesSwitch};
use crate::error::StoreError;
use crate::followed::PoliciesMove;
use crate::recorder::ProcessRecorder;
use crate::recording::Recording;
use crate::sql::names::Stage;
use crate::sql::transaction::{Access, End, Transaction};
use crate::tracking::Tracking;

/// A function that creates the tables.
pub type Make<'a> = &'a mut dyn FnMut(&mut Transaction<'_>) -> Result<(), StoreError>;

/// The tables of one projection.
#[derive(Clone)]
pub struct Tables {
    recorder: Arc<dyn ProcessRecorder>,
}

impl Tables {
    /// Creates the access to the tables in the database of this recorder.
    pub fn new(recorder: Arc<dyn ProcessRecorder>) -> Self {
        Self { recorder }
    }

    /// Creates the tables, unless they were created before. Any number of processes may do this at
    /// once.
    ///
    /// # Errors
    /// Fails when the store is not an SQL database, `make` fails, or the tables are missing and
    /// `create` is not set.
    pub fn prepare(&self, create: bool, make: Make<'_>) -> Result<(), StoreError> {
        let mut is_made = false;
        self.recorder.transact(Access::Read, &mut |tx| {
            is_made = meta::get(tx, Key::Tables)?.is_some();
            if is_made || create {
                Ok(End::Rollback)
            } else {
                let problem = "CREATE_TABLE is off, and the projection's tables were never made";
                Err(tx.misconfigured(problem))
            }
        })?;
        if is_made {
            return Ok(());
        }
        self.recorder.transact(Access::Write, &mut |tx| {
            // A second process waits here for the first.
            if !meta::insert(tx, Key::Tables, "")? {
                return Ok(End::Rollback);
            }
            let names = make_tables(tx, Stage::Live, make)?;
            meta::put(tx, Key::Tables, &names.join("\n"))?;
            Ok(End::Commit)
        })
    }

    /// Runs `work` in a read-only transaction, which sees a single state of the database.
    ///
    /// # Errors
    /// Fails when the store cannot be read.
    pub fn read(&self, work: &mut dyn FnMut(&mut Transaction<'_>)) -> Result<(), StoreError> {
        self.recorder.transact(Access::Read, &mut |tx| {
            work(tx);
            Ok(End::Rollback)
        })
    }

    /// Runs `work` in a transaction in which the position is the one at which the move `start`
    /// starts and counts for the policies that it expects, and records what `work` returns: a
    /// [`Tracking`], or a [`Recording`] without events that moves this position alone, and may set
    /// events aside. If it returns nothing, nothing is committed.
    ///
    /// # Errors
    /// Fails with [`StoreError::PositionMoved`] when the position is another one or counts for
    /// other policies. Then `work` has not run, because the tables may be others, too. Fails with
    /// [`StoreError::SetAsideChanged`] when a change of what is set aside does not find what it
    /// expects, and when the store fails.
    pub fn process<R: Into<Recording>>(
        &self,
        start: &Tracking,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> Option<R>,
    ) -> Result<(), StoreError> {
        self.recorder.transact(Access::Write, &mut |tx| {
            process(tx, &Position::live(&start.upstream), start, work)
        })
    }

    /// Runs `work` for the event at `position` that is set aside and is the first of its sequence,
    /// and removes its row in the same transaction. If `work` returns false, nothing is committed.
    ///
    /// With `policies`, the position in `upstream` must count for those that they expect.
    ///
    /// Concurrency: the position is locked first, so of several programs that retry an event, the
    /// others wait here, and find another row or none.
    ///
    /// # Errors
    /// Fails with [`StoreError::SetAsideChanged`] when there is no such row, with
    /// [`StoreError::PositionMoved`] when the position counts for other policies, and when the
    /// store fails. Then `work` has not run.
    pub fn retry(
        &self,
        upstream: &str,
        position: u64,
        policies: Option<&PoliciesMove>,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> bool,
    ) -> Result<(), StoreError> {
        self.recorder.transact(Access::Write, &mut |tx| {
            let live = Position::live(upstream);
            live.lock_for(tx, policies)?;
            aside::retry(tx, &live, position, work)
        })
    }
}

/// Concurrency: a rebuild replaces the tables and changes the policies with the position locked, so
/// what is compared with the lock held stays until the transaction ends.
fn process<R: Into<Recording>>(
    tx: &mut Transaction<'_>,
    position: &Position,
    start: &Tracking,
    work: &mut dyn FnMut(&mut Transaction<'_>) -> Option<R>,
) -> Result<End, StoreError> {
    let found = position.lock(tx)?;
    if found != start.from {
        return Err(position.moved(start.from, found));
    }
    if let Some(policies) = &start.policies {
        position.expect_policies(tx, found, policies.expected.as_deref())?;
    }
    let Some(recording) = work(tx) else {
        return Ok(End::Rollback);
    };
    aside::record(tx, position, recording.into())?;
    Ok(End::Commit)
}

/// Creates the tables. Returns their names, one a line.
fn make_tables(
    tx: &mut Transaction<'_>,
    stage: Stage,
    make: Make<'_>,
) -> Result<Vec<String>, StoreError> {
    tx.enter(stage);
    tx.take_named();
    make(tx)?;
    if let Some(failure) = tx.failure() {
        return Err(failure);
    }
    let (named, names) = (tx.take_named(), tx.names());
    for name in &named {
        if names.taken.contains(name) || name.contains('\n') || name.is_empty() {
            return Err(tx.misconfigured(format!("a projection's table cannot be called `{name}`")));
        }
        if name.len() > names.longest {
            let problem = format!(
                "the table `{name}` has a name of more than {} bytes",
                names.longest
            );
            return Err(tx.misconfigured(problem));
        }
    }
    Ok(named)
}
