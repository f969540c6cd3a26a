//! The tables: Python's, as it makes them, and a few of our own beside them.
//!
//! Concurrency: the catalogue is looked at first, and only what is missing is created, in a
//! transaction that holds an advisory lock, so programs of ours come one by one. The Python library
//! does not take that lock; where it was quicker, creating fails in one of a few ways, and all is
//! looked at again.

mod catalogue;

use es_core::error_chain;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use self::catalogue::Catalogue;
use super::ddl;
use super::functions::Function;
use super::names::Names;
use super::options::PostgresOptions;
use crate::error::StoreError;
use crate::postgres_client::{Client, Transaction};
use crate::role::Role;

/// The number of looks while somebody else creates tables at the same time.
const LOOKS: usize = 50;

/// The needs of an application, and the schema that is to meet them.
pub(super) struct SchemaNeeds<'a> {
    pub(super) application: &'a str,
    pub(super) role: Role,
    pub(super) settings: &'a PostgresOptions,
    pub(super) names: &'a Names,
}

/// The properties of the tables that a recorder must know.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ServerLayout {
    /// True if tracking is of an old version of the Python library.
    pub(super) has_row_per_position: bool,
    /// True if there are the functions that append.
    pub(super) has_append: bool,
}

/// Creates what is missing, and checks that the tables are the application's.
pub(super) fn prepare(
    client: &mut Client,
    wanted: &SchemaNeeds<'_>,
) -> Result<ServerLayout, StoreError> {
    let label = &wanted.settings.label;
    check_server(client, wanted)?;
    let mut made = false;
    let mut last = None;
    for _ in 0..LOOKS {
        let found = Catalogue::look(client, wanted)
            .map_err(|error| label.failed("reading the tables", error))?;
        found.check(wanted)?;
        if found.is_complete() && (made || found.has_append() || !wanted.settings.create) {
            return Ok(found.layout());
        }
        if !wanted.settings.create {
            let missing = found.names_of_missing().join(", ");
            return Err(label.misconfigured(format!(
                "CREATE_TABLE is off, and this is missing in schema `{}`: {missing}",
                wanted.names.schema
            )));
        }
        match create(client, wanted) {
            Ok(()) => made = true,
            Err(CreateError::Store(error)) => return Err(error),
            Err(CreateError::Driver(error)) if is_somebody_elses(&error) => last = Some(error),
            // Only functions are missing, or may not be called.
            Err(CreateError::Driver(error)) if found.is_complete() && is_not_allowed(&error) => {
                return Ok(found.layout());
            }
            Err(CreateError::Driver(error)) => return Err(label.failed("creating tables", error)),
        }
    }
    Err(match last {
        Some(error) => label.failed("creating tables", error),
        None => label.misconfigured("somebody else keeps creating and removing the tables"),
    })
}

/// Creates the table of snapshots, if it is missing; says whether there is one. Nobody needs it, so
/// it is no error that it may not be created.
pub(super) fn prepare_snapshots(
    client: &mut Client,
    settings: &PostgresOptions,
    names: &Names,
) -> Result<bool, StoreError> {
    let thing = ddl::snapshots(names);
    let failed = |error| settings.label.failed("creating tables", error);
    if has_table(client, names, &thing.name).map_err(failed)? {
        return Ok(true);
    }
    if !settings.create {
        return Ok(false);
    }
    match client.batch_execute(&thing.create) {
        Err(error) if is_not_allowed(&error) => Ok(false),
        Err(error) if !is_somebody_elses(&error) => Err(failed(error)),
        _ => Ok(true),
    }
}

enum CreateError {
    Driver(Error),
    Store(StoreError),
}

impl From<Error> for CreateError {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

fn create(client: &mut Client, wanted: &SchemaNeeds<'_>) -> Result<(), CreateError> {
    let mut transaction = client.transaction()?;
    // The composite type is shared by all applications of the schema, and so is the lock.
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    transaction.execute(lock, &[&format!("first start of {}", wanted.names.schema)])?;
    let found = Catalogue::look(transaction.client(), wanted)?;
    found.check(wanted).map_err(CreateError::Store)?;
    for thing in &found.missing {
        transaction.batch_execute(&thing.create)?;
    }
    found.complete(transaction.client(), wanted)?;
    if !found.has_other_append {
        create_functions(&mut transaction, &found.missing_functions)?;
    }
    Ok(transaction.commit()?)
}

/// Plain statements do what the functions do, so it is no error that they may not be created, or
/// that their language is missing.
fn create_functions(transaction: &mut Transaction<'_>, missing: &[Function]) -> Result<(), Error> {
    let mut attempt = transaction.transaction()?;
    let created = missing
        .iter()
        .try_for_each(|function| attempt.batch_execute(&function.create));
    match created {
        Ok(()) => attempt.commit(),
        Err(error)
            if is_not_allowed(&error) || error.code() == Some(&SqlState::UNDEFINED_OBJECT) =>
        {
            let error = error_chain(&error);
            tracing::warn!(%error, "the functions that append cannot be created: saves take longer");
            attempt.rollback()
        }
        Err(error) => Err(error),
    }
}

/// Returns true if the role may not create anything, or nobody may: for example on a standby.
fn is_not_allowed(error: &Error) -> bool {
    let refusals = [
        SqlState::INSUFFICIENT_PRIVILEGE,
        SqlState::READ_ONLY_SQL_TRANSACTION,
    ];
    error.code().is_some_and(|code| refusals.contains(code))
}

/// Returns true if creating something failed because somebody else has done it.
fn is_somebody_elses(error: &Error) -> bool {
    let Some(error) = error.as_db_error() else {
        return false;
    };
    let there = [
        SqlState::DUPLICATE_OBJECT,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_FUNCTION,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    there.contains(error.code())
        || *error.code() == SqlState::UNIQUE_VIOLATION && error.schema() == Some("pg_catalog")
        // The server has no code of its own for two who update one row of the catalogue at once.
        || *error.code() == SqlState::INTERNAL_ERROR
}

fn check_server(client: &mut Client, wanted: &SchemaNeeds<'_>) -> Result<(), StoreError> {
    let label = &wanted.settings.label;
    let sql = "SELECT current_setting('server_version_num')::int, current_setting('fsync'), \
               EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)";
    let row = client
        .query_one(sql, &[&wanted.names.schema])
        .map_err(|error| label.failed("connecting", error))?;
    let (version, fsync, has_schema): (i32, &str, bool) = (row.get(0), row.get(1), row.get(2));
    if version < 140_000 {
        let problem = format!(
            "the server has version {}, and 14 is the oldest",
            version / 10_000
        );
        return Err(label.misconfigured(problem));
    }
    if fsync == "off" {
        tracing::warn!(
            "the PostgreSQL server has fsync=off: what is recorded may be lost in a crash"
        );
    }
    if !has_schema {
        let problem = format!(
            "there is no schema `{}` (POSTGRES_SCHEMA)",
            wanted.names.schema
        );
        return Err(label.misconfigured(problem));
    }
    Ok(())
}

fn has_table(client: &mut Client, names: &Names, name: &str) -> Result<bool, Error> {
    let row = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&names.path(name)])?;
    Ok(row.get(0))
}
