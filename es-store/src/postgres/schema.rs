//! The tables: those of the Python library, exactly as it creates them, and a few of our own.
//!
//! Concurrency: the catalogue is read first, and only missing objects are created. The transaction
//! that creates them holds an advisory lock, so programs of this library take turns. The Python
//! library does not take that lock. If it creates an object first, ours fails with one of a few
//! known errors, and the catalogue is read again.

mod aside;
mod catalogue;

use std::thread;
use std::time::{Duration, Instant};

use es_core::error_chain;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

pub(super) use self::aside::{AsideTables, prepare_aside};
use self::catalogue::Catalogue;
use super::ddl;
use super::functions::Function;
use super::names::Names;
use super::options::{PostgresOptions, short_lock_timeout};
use crate::backoff::{Backoff, jitter};
use crate::error::StoreError;
use crate::postgres_client::{Client, Transaction};
use crate::role::Role;

/// The maximum number of attempts while another program creates tables at the same time.
const MAX_ATTEMPTS: usize = 50;

/// The pauses between attempts to change a table that is in use.
const IN_USE: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));

/// The application that needs the tables, and the schema they belong to.
pub(super) struct SchemaNeeds<'a> {
    pub(super) application: &'a str,
    pub(super) role: Role,
    pub(super) settings: &'a PostgresOptions,
    pub(super) names: &'a Names,
}

/// The properties of the tables that a recorder depends on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ServerLayout {
    /// True if tracking has the form of old versions of the Python library.
    pub(super) has_row_per_position: bool,
    /// True if the tables can record an upstream's event and policies.
    pub(super) has_policies: bool,
    /// True if the functions that append events can be called.
    pub(super) has_append: bool,
}

/// Creates missing objects, and checks that the tables belong to the application.
pub(super) fn prepare(
    client: &mut Client,
    wanted: &SchemaNeeds<'_>,
) -> Result<ServerLayout, StoreError> {
    let label = &wanted.settings.label;
    check_server(client, wanted)?;
    let mut made = false;
    let mut last = None;
    let (began, mut attempts, mut waits) = (Instant::now(), 0, 0);
    while attempts < MAX_ATTEMPTS {
        attempts += 1;
        let found = Catalogue::read(client, wanted)
            .map_err(|error| label.failed("reading the tables", error))?;
        found.check(wanted)?;
        if found.is_complete() && (made || found.has_append() || !wanted.settings.create) {
            return Ok(found.layout());
        }
        if !wanted.settings.create {
            return Err(match found.upgrade(wanted.names) {
                Some(upgrade) => label.misconfigured(format!("CREATE_TABLE is off, and {upgrade}")),
                None => label.misconfigured(format!(
                    "CREATE_TABLE is off, and this is missing in schema `{}`: {}",
                    wanted.names.schema,
                    found.names_of_missing().join(", ")
                )),
            });
        }
        match create(client, wanted) {
            Ok(()) => made = true,
            Err(CreateError::Store(error)) => return Err(error),
            Err(CreateError::Driver(error)) if is_concurrent_creation(&error) => last = Some(error),
            Err(CreateError::Driver(error))
                if is_locked(&error) && may_wait(began, label.lock_timeout()) =>
            {
                attempts -= 1;
                waits += 1;
                thread::sleep(jitter(IN_USE.pause(waits), 0.5, 1.5));
            }
            // Only functions are missing, or they may not be called.
            Err(CreateError::Driver(error)) if found.is_complete() && is_not_allowed(&error) => {
                return Ok(found.layout());
            }
            Err(CreateError::Driver(error)) => {
                return without_upgrade(&found, wanted, error);
            }
        }
    }
    Err(match last {
        Some(error) => label.failed("creating tables", error),
        None => label.misconfigured("another program keeps creating and dropping the tables"),
    })
}

/// Decides about tables that could not be created. A standby is read as it is, because it records
/// no position. Others must be changed by their owner.
fn without_upgrade(
    found: &Catalogue,
    wanted: &SchemaNeeds<'_>,
    error: Error,
) -> Result<ServerLayout, StoreError> {
    let label = &wanted.settings.label;
    match found.upgrade(wanted.names) {
        Some(_) if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => Ok(found.layout()),
        Some(upgrade) if is_not_allowed(&error) => {
            Err(label.misconfigured(format!("its role may not change the tables, and {upgrade}")))
        }
        _ => Err(label.failed("creating tables", error)),
    }
}

/// Creates the table of snapshots if it is missing, and returns true if there is one. Snapshots are
/// optional, so a missing privilege is not an error. Nobody uses a table that is new.
pub(super) fn prepare_snapshots(
    client: &mut Client,
    settings: &PostgresOptions,
    names: &Names,
) -> Result<bool, StoreError> {
    let object = ddl::snapshots(names);
    let failed = |error| settings.label.failed("creating tables", error);
    if has_table(client, names, &object.name).map_err(failed)? {
        return Ok(true);
    }
    if !settings.create {
        return Ok(false);
    }
    match client.batch_execute(&object.create) {
        Err(error) if is_not_allowed(&error) => Ok(false),
        Err(error) if !is_concurrent_creation(&error) => Err(failed(error)),
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

/// Creates missing objects in one transaction. An index or a column may belong to a table that is
/// in use. While its creation waits for a writer, all later ones wait too, so it waits only a
/// moment.
fn create(client: &mut Client, wanted: &SchemaNeeds<'_>) -> Result<(), CreateError> {
    let mut transaction = begin(client, wanted)?;
    let found = Catalogue::read(transaction.client(), wanted)?;
    found.check(wanted).map_err(CreateError::Store)?;
    for object in &found.missing {
        transaction.batch_execute(&object.create)?;
    }
    if !found.missing_columns.is_empty() {
        transaction.batch_execute(&ddl::add_columns(wanted.names, &found.missing_columns))?;
    }
    found.complete(transaction.client(), wanted)?;
    if !found.has_other_append {
        create_functions(&mut transaction, &found.missing_functions)?;
    }
    Ok(transaction.commit()?)
}

/// Begins a transaction that creates objects, in which no other program of this library does.
fn begin<'c>(client: &'c mut Client, wanted: &SchemaNeeds<'_>) -> Result<Transaction<'c>, Error> {
    let mut transaction = client.transaction()?;
    // All applications of the schema share the composite type, and so the lock.
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    transaction.execute(lock, &[&format!("first start of {}", wanted.names.schema)])?;
    let limit = short_lock_timeout(wanted.settings.label.lock_timeout()).as_millis();
    transaction.batch_execute(&format!("SET LOCAL lock_timeout = {limit}"))?;
    Ok(transaction)
}

/// Creates the functions that append events. Plain statements do the same work, so it is not an
/// error if they may not be created or their language is missing.
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
            tracing::warn!(%error, "the functions that append events cannot be created, so each save takes more round trips");
            attempt.rollback()
        }
        Err(error) => Err(error),
    }
}

fn is_locked(error: &Error) -> bool {
    error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

/// Returns true if a lock may still be waited for. A limit of 0 is no limit.
fn may_wait(began: Instant, limit: Duration) -> bool {
    limit.is_zero() || began.elapsed() < limit
}

/// Returns true if the role may not create objects, or the server is read-only, as a standby is.
fn is_not_allowed(error: &Error) -> bool {
    let refusals = [
        SqlState::INSUFFICIENT_PRIVILEGE,
        SqlState::READ_ONLY_SQL_TRANSACTION,
    ];
    error.code().is_some_and(|code| refusals.contains(code))
}

/// Returns true if creating an object failed because another program created it.
fn is_concurrent_creation(error: &Error) -> bool {
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
        // The server has no code of its own for two concurrent updates of one row of the catalogue.
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
