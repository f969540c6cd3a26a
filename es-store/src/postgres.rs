//! A store in a PostgreSQL database (14 or newer), in the format of the Python library. A schema
//! has any number of applications.
//!
//! Its settings are those of [`KEYS`](crate::KEYS) with the scope
//! [`Postgres`](crate::KeyScope::Postgres). Each application has one connection that writes, one
//! that listens while anyone does, and those that read, which `POSTGRES_POOL_SIZE` and
//! `POSTGRES_MAX_OVERFLOW` limit. A connection that was lost is replaced when it is needed. With
//! `CREATE_TABLE=n` nothing is created, and a missing table is an error that names it.
//!
//! With the cargo feature `tls`, connections by TCP are encrypted as `POSTGRES_SSLMODE` asks, with
//! libpq's meanings. `verify-full` compares the host with the subject alternative names of the
//! certificate. Without the feature there are only `disable` and `prefer`, which are then the same.
//! The files with certificates are read when an application is opened.
//!
//! In the middle of an async task of tokio, every call is an error that says where to do it
//! instead, since it would block the task.
//!
//! Python programs that share the database must leave POSTGRES_ENABLE_DB_FUNCTIONS off, as it is by
//! default. With it they take no lock, so their events may become visible out of the order of their
//! positions, and a follower skips one.

mod blocking;
mod codes;
mod connection;
mod ddl;
mod functions;
mod judge;
mod label;
mod listen;
mod names;
mod options;
mod pool;
mod recorder;
mod rows;
mod schema;
mod snapshots;
mod sql;
mod statements;
mod tls;
mod user_transaction;
mod write;
mod writer;

/// The names that a handler needs which uses
/// [`Transaction::postgres`](crate::Transaction::postgres): types, rows and errors of
/// `tokio-postgres`, and a client of our own that blocks.
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
/// what is missing. Any number of processes may do so at the same moment.
///
/// # Errors
/// Fails when a setting is missing or wrong, the name of the application is too long, the database cannot
/// be reached, the tables belong to another application, or what is missing may not be created.
pub fn open(
    application: &str,
    role: Role,
    env: &Env,
) -> Result<Arc<dyn ProcessRecorder>, StoreError> {
    Ok(Arc::new(PostgresRecorder::open(application, role, env)?))
}

/// The statements that create all that an application needs, for those who run them themselves
/// (`CREATE_TABLE=n`). Types that the applications of a schema share are created only if they are
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
