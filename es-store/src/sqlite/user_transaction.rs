//! Transactions in which a user's code runs.
//!
//! Concurrency: a transaction that writes holds the connection that writes for as long as the
//! user's code runs. So does one that reads from a database in memory. A transaction that reads
//! from a file has a connection of its own. Meanwhile the thread is registered, see
//! [`reentrancy`](crate::sql::reentrancy).

use std::sync::{Arc, LazyLock};

use rusqlite::{Connection, TransactionBehavior};

use super::authorizer::Authorizer;
use super::busy::Pace;
use super::codes;
use super::database::{Database, Reader};
use super::statements::SqliteTransaction;
use super::tables;
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
    access: Access,
    work: &mut Work<'_>,
) -> Result<(), StoreError> {
    database.reentrancy.refuse(&database.label)?;
    let owner = Arc::new(Owner::new(application, database.label.clone()));
    let reading = |error| codes::failed(&database.label, "reading", error);
    match access {
        Access::Write if database.read_only => Err(database.label.read_only("a projection")),
        Access::Write => write(database, owner, work),
        Access::Read => match &database.file {
            Some(file) => database.read_by(file, |reader| {
                let Reader {
                    connection,
                    authorizer,
                } = reader;
                authorizer.install(connection).map_err(reading)?;
                read(database, connection, authorizer, owner, work)
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
                read(database, query_only.0, authorizer, owner, work)
            }
        },
    }
}

fn read(
    database: &Database,
    connection: &Connection,
    authorizer: &Authorizer,
    owner: Arc<Owner>,
    work: &mut Work<'_>,
) -> Result<(), StoreError> {
    let _entered = database.reentrancy.enter();
    let begun = connection.unchecked_transaction();
    let tx = begun.map_err(|error| codes::failed(&database.label, "reading", error))?;
    let mut transaction = Transaction::new(SqliteTransaction::new(tx), owner, table_names());
    let denied = authorizer.deny();
    let done = work(&mut transaction);
    drop(denied);
    done.map(|_| ())
}

fn write(database: &Database, owner: Arc<Owner>, work: &mut Work<'_>) -> Result<(), StoreError> {
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
    let mut transaction = Transaction::new(SqliteTransaction::new(tx), owner, table_names());
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

/// Returns the names of the library's own tables.
fn table_names() -> Arc<TableNames> {
    static NAMES: LazyLock<Arc<TableNames>> = LazyLock::new(|| {
        Arc::new(TableNames {
            tracking: "tracking".to_owned(),
            upstream: "es_upstream".to_owned(),
            policies: "es_policies".to_owned(),
            meta: "es_meta".to_owned(),
            schema: None,
            taken: tables::names().map(str::to_owned).collect(),
            longest: usize::MAX,
        })
    });
    NAMES.clone()
}
