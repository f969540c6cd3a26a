//! Transactions in which a user's code runs, each on a connection of its own.

use std::sync::Arc;

use super::codes::is_lost;
use super::connection::Connection;
use super::recorder::PostgresRecorder;
use super::shortage;
use super::statements::PostgresTransaction;
use crate::error::StoreError;
use crate::rebuild_lock::RebuildLock;
use crate::sql::label::Label;
use crate::sql::names::TableNames;
use crate::sql::names::quoted;
use crate::sql::transaction::Owner;
use crate::sql::transaction::{Access, End, Transaction};
use crate::sync::Flag;

/// The maximum length of a table's name, which leaves room for the number of a rebuild.
const LONGEST: usize = 50;

impl PostgresRecorder {
    /// Runs `work` in a transaction, and commits or rolls back as `work` returns.
    pub(super) fn in_transaction(
        &self,
        access: Access,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> Result<End, StoreError>,
    ) -> Result<(), StoreError> {
        self.refuse_old_tracking()?;
        // A connection that was lost while idle is discarded before any work is done. Each turn
        // discards at most one; the last opens a new one.
        for _ in 0..=self.settings.readers() {
            if self
                .tables
                .lend(|connection| self.attempt(connection, access, work))?
            {
                return Ok(());
            }
        }
        Err(self.settings.label.closed())
    }

    /// Runs `work`. Returns `false` if the connection was lost before.
    fn attempt(
        &self,
        connection: &mut Connection,
        access: Access,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> Result<End, StoreError>,
    ) -> Result<bool, StoreError> {
        let Connection {
            client,
            statements,
            is_lost: lost,
            restore,
            ..
        } = connection;
        // Nobody watches this transaction yet.
        client.show_requests(Flag::default());
        let begun = client.transaction_by(match access {
            Access::Write => "START TRANSACTION READ WRITE",
            // All queries of one read see the same snapshot.
            Access::Read => "START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        });
        let tx = match begun {
            Ok(tx) => tx,
            Err(error) if is_lost(&error) => {
                *lost = true;
                return Ok(false);
            }
            Err(error) => return Err(self.settings.label.failed("beginning a transaction", error)),
        };
        let (owner, names) = (self.owner(), self.table_names());
        let mut transaction = {
            let driver = PostgresTransaction::new(tx, statements, restore, lost, access);
            Transaction::new(driver, owner, names)
        };
        let end = work(&mut transaction);
        // A handler that has ended the transaction may have changed the session afterwards.
        let is_broken = match transaction.failure() {
            Some(StoreError::Driver { .. }) => true,
            Some(_) => access == Access::Write,
            None => false,
        };
        let ended = match end {
            Ok(End::Commit) => transaction.commit(),
            Ok(End::Rollback) => {
                transaction.roll_back();
                Ok(())
            }
            Err(error) => {
                transaction.roll_back();
                Err(error)
            }
        };
        // Some of these connections would still work, but all are opened again to be sure.
        *lost |= is_broken || matches!(ended, Err(StoreError::Driver { .. }));
        ended.map(|()| true)
    }

    /// Takes an advisory lock of the session, which ends with its connection, and so with this
    /// process.
    pub(super) fn try_lock_rebuild(&self) -> Result<Option<RebuildLock>, StoreError> {
        let open = || Connection::open(&self.settings, &self.names);
        let mut connection = shortage::open(&self.settings, open, shortage::pause)?;
        let sql = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))";
        let of = format!("rebuild of {}", self.names.path(&self.names.tracking));
        let row = connection.client.query_one(sql, &[&of]);
        let row =
            row.map_err(|error| self.settings.label.failed("locking for a rebuild", error))?;
        let is_locked: bool = row.get(0);
        let label = self.settings.label.clone();
        let check = move |connection: &mut Connection| {
            let checked = connection.client.check_connection();
            checked.map_err(|error| label.failed("checking the lock of a rebuild", error))
        };
        Ok(is_locked.then(|| RebuildLock::with_check(connection, check)))
    }

    fn owner(&self) -> Arc<Owner> {
        let label = Label::clone(&self.settings.label);
        Arc::new(Owner::new(&self.application, label))
    }

    fn table_names(&self) -> Arc<TableNames> {
        let names = &self.names;
        let taken = [
            &names.events,
            &names.snapshots,
            &names.tracking,
            &names.meta,
            &names.upstream,
            &names.policies,
            &names.failures,
            &names.operations,
        ];
        Arc::new(TableNames {
            tracking: names.path(&names.tracking),
            upstream: names.path(&names.upstream),
            policies: names.path(&names.policies),
            meta: names.path(&names.meta),
            aside: self.aside.is_readable.then(|| names.aside()),
            schema: Some(quoted(&names.schema)),
            taken: taken.into_iter().cloned().collect(),
            longest: LONGEST,
        })
    }
}
