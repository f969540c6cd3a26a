//! Transactions in which a user's code runs.
//!
//! Concurrency: a transaction that writes holds the connection that writes for as long as the
//! user's code runs. So does one that reads from a database in memory. A transaction that reads
//! from a file has a connection of its own. Meanwhile the thread is registered, see
//! [`reentrancy`](crate::sql::reentrancy).

use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};

use super::authorizer::Authorizer;
use super::busy::Pace;
use super::codes;
use super::database::{Database, Reader};
use super::statements::SqliteTransaction;
use super::writer::Writer;
use crate::error::StoreError;
use crate::sql::names::TableNames;
use crate::sql::transaction::{Access, End, Owner, Transaction};

/// The work in a transaction.
type Work<'w> = dyn FnMut(&mut Transaction<'_>) -> Result<End, StoreError> + 'w;

/// Runs `work` in a transaction for the application `application`.
pub(super) fn run(
    database: &Database,
    application: &str,
    names: Arc<TableNames>,
    access: Access,
    work: &mut Work<'_>,
) -> Result<(), StoreError> {
    database.reentrancy.refuse(&database.label)?;
    let owner = Arc::new(Owner::new(application, database.label.clone()));
    let reading = |error| codes::failed(&database.label, "reading", error);
    match access {
        Access::Write if database.read_only => Err(database.label.read_only("a projection")),
        Access::Write => write(database, owner, names, work),
        Access::Read => match &database.file {
            Some(file) => database.read_by(file, |reader| {
                let Reader {
                    connection,
                    authorizer,
                } = reader;
                authorizer.install(connection).map_err(reading)?;
                read(database, connection, authorizer, owner, names, work)
            }),
            None => {
                let mut writer = database.committer.writer();
                let Writer {
                    connection,
                    authorizer,
                    ..
                } = &mut *writer;
                authorizer.install(connection).map_err(reading)?;
                let query_only = QueryOnly::begin(connection).map_err(reading)?;
                read(database, query_only.0, authorizer, owner, names, work)
            }
        },
    }
}

fn read(
    database: &Database,
    connection: &Connection,
    authorizer: &Authorizer,
    owner: Arc<Owner>,
    names: Arc<TableNames>,
    work: &mut Work<'_>,
) -> Result<(), StoreError> {
    let _entered = database.reentrancy.enter();
    let begun = connection.unchecked_transaction();
    let tx = begun.map_err(|error| codes::failed(&database.label, "reading", error))?;
    let mut transaction = Transaction::new(SqliteTransaction::new(tx), owner, names);
    let denied = authorizer.deny();
    let done = work(&mut transaction);
    drop(denied);
    done.map(|_| ())
}

fn write(
    database: &Database,
    owner: Arc<Owner>,
    names: Arc<TableNames>,
    work: &mut Work<'_>,
) -> Result<(), StoreError> {
    let failed = |error| codes::failed(&database.label, "a projection", error);
    let mut writer = database.committer.writer();
    let Writer {
        connection,
        pace,
        authorizer,
        ..
    } = &mut *writer;
    let _entered = database.reentrancy.enter();
    authorizer.install(connection).map_err(failed)?;
    pace.iter_mut().for_each(Pace::begin);
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let tx = begun.map_err(failed)?;
    let mut transaction = Transaction::new(SqliteTransaction::new(tx), owner, names);
    let denied = authorizer.deny();
    let end = work(&mut transaction);
    drop(denied);
    let ended = match end {
        Ok(End::Commit) => transaction.commit(),
        Ok(End::Rollback) => {
            transaction.roll_back();
            Ok(())
        }
        Err(error) => Err(error),
    };
    pace.iter_mut().for_each(Pace::end);
    ended
}

/// Prevents a connection from writing until it is dropped.
struct QueryOnly<'a>(&'a Connection);

impl<'a> QueryOnly<'a> {
    fn begin(connection: &'a Connection) -> rusqlite::Result<Self> {
        connection.pragma_update(None, "query_only", true)?;
        Ok(Self(connection))
    }
}

impl Drop for QueryOnly<'_> {
    fn drop(&mut self) {
        // Nothing could be done about a failure; the next write would report it.
        let _ended = self.0.pragma_update(None, "query_only", false);
    }
}
