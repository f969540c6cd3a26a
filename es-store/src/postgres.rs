//! A store in a PostgreSQL database (14 or newer), in the format of the Python library. A schema
//! can contain any number of applications.
//!
//! Its settings are those of [`KEYS`](crate::KEYS) with the scope
//! [`Postgres`](crate::KeyScope::Postgres). Each application has one connection for writing, one
//! for listening while anyone listens, and a pool for reading that `POSTGRES_POOL_SIZE` and
//! `POSTGRES_MAX_OVERFLOW` limit. A lost connection is replaced at its next use. With
//! `CREATE_TABLE=n` nothing is created, and a missing table is an error that names it.
//!
//! With the cargo feature `tls`, connections by TCP are encrypted as `POSTGRES_SSLMODE` requires,
//! with libpq's meanings. `verify-full` compares the host with the subject alternative names of the
//! certificate. Without the feature only `disable` and `prefer` are available, and both mean no
//! encryption. Files with certificates are read when an application is opened.
//!
//! Inside an async task of tokio every call returns an error, because it would block the task. The
//! error names the alternative.
//!
//! Python programs that share the database must leave POSTGRES_ENABLE_DB_FUNCTIONS off, which is
//! the default. With it they take no lock, so their events may become visible out of the order of
//! their positions, and a follower would skip an event.

mod blocking;
mod checkup;
mod codes;
mod connection;
mod ddl;
mod events;
mod functions;
mod label;
mod listen;
mod names;
mod notifications;
mod options;
mod pool;
mod recorder;
mod rows;
mod schema;
mod session;
mod set_aside;
mod shortage;
mod snapshots;
mod sql;
mod statements;
mod tls;
mod user_transaction;
mod validator;
mod write;
mod writer;

/// The types for handlers that use [`Transaction::postgres`](crate::Transaction::postgres): types,
/// rows and errors of `tokio-postgres`, and a blocking client of our own.
#[cfg(feature = "driver")]
pub mod driver {
    pub use tokio_postgres::types::{FromSql, ToSql, Type};
    pub use tokio_postgres::{Error, Row, Statement, ToStatement};

    pub use crate::postgres_client::{Client, CopyInWriter, CopyOutReader, Transaction};
}

use std::sync::Arc;

#[cfg(test)]
pub(crate) use self::codes::is_lost;
pub use self::recorder::PostgresRecorder;
use crate::env::Env;
use crate::error::StoreError;
use crate::recorder::ProcessRecorder;
use crate::role::Role;

/// Opens the tables of an application in the database that `POSTGRES_DBNAME` names, and creates
/// missing ones. Any number of processes may do so at the same moment.
///
/// # Errors
/// Fails when a setting is missing or wrong, the name of the application is too long, the database
/// cannot be reached, the tables belong to another application, or missing tables cannot be
/// created.
pub fn open(
    application: &str,
    role: Role,
    env: &Env,
) -> Result<Arc<dyn ProcessRecorder>, StoreError> {
    Ok(Arc::new(PostgresRecorder::open(application, role, env)?))
}

/// Returns the statements that create everything an application needs, to be run by hand
/// (`CREATE_TABLE=n`). Objects that the applications of a schema share are created only if they are
/// missing.
///
/// # Errors
/// Fails when a setting is wrong, or the name of the application is too long.
pub fn ddl(application: &str, role: Role, env: &Env) -> Result<String, StoreError> {
    let env = &env.for_application(application);
    let schema = env
        .get("POSTGRES_SCHEMA")
        .filter(|schema| !schema.is_empty());
    let names = names::Names::new(application, schema.unwrap_or("public"), env.id_type()?)?;
    Ok(ddl::script(&names, application, role))
}
