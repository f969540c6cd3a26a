//! A store in a PostgreSQL database (14 or newer), any number of applications per schema, in the format of the Python library.
//!
//! `POSTGRES_DBNAME`, `POSTGRES_HOST`, `POSTGRES_USER` and `POSTGRES_PASSWORD` must be given; `POSTGRES_PORT` is 5432.
//! A host that begins with `/` is the folder of a Unix socket. Several hosts, with one port or as many, are separated by
//! commas: the first that can be written to is used. `POSTGRES_SCHEMA` is `public`.
//!
//! `POSTGRES_LOCK_TIMEOUT` is how many seconds to wait for a lock (30; 0 is for ever), `POSTGRES_CONNECT_TIMEOUT` how
//! many for a connection (30), `POSTGRES_IDLE_IN_TRANSACTION_SESSION_TIMEOUT` how many a transaction may stand still (5).
//! `POSTGRES_POOL_SIZE` (5) connections for reading are kept, and `POSTGRES_MAX_OVERFLOW` (10) more are made when these are
//! busy. One more writes, and one more listens while anyone does. `POSTGRES_SYNCHRONOUS_COMMIT` is `on`.
//! `POSTGRES_PRE_PING` is accepted and does nothing: a connection that was lost is replaced when it is needed. `CREATE_TABLE=n`
//! creates nothing, and what is missing is an error that names it.
//!
//! With the cargo feature `tls`, connections by TCP are encrypted as `POSTGRES_SSLMODE` says, with libpq's meanings: `disable`;
//! `prefer`, which it is if it is not set; `require`; `verify-ca`, which asks for a certificate of an authority; `verify-full`,
//! which asks that it is for the host, too, by its subject alternative names. Without the feature there are only the first two, and
//! they are one. A Unix socket is never encrypted. `POSTGRES_SSLROOTCERT` is a PEM file with the authorities, or with the very
//! certificate of a server that signed its own; unset, the authorities are those of the machine. Where it is set, `require` is
//! `verify-ca`. `POSTGRES_SSLCERT` and `POSTGRES_SSLKEY` are PEM files with a certificate that the server may ask for, and its
//! private key, unencrypted. The files are read when an application is opened.
//! In the middle of an async task of tokio every call is an error that says where to do it instead, since it would block the task.
//!
//! Python programs that share the database must leave POSTGRES_ENABLE_DB_FUNCTIONS off, as it is by default: with it they
//! take no lock, so their events may become visible out of the order of their positions, and a follower skips one.

mod append;
mod blocking;
mod connection;
mod ddl;
mod judge;
mod label;
mod listen;
mod names;
mod pool;
mod recorder;
mod rows;
mod schema;
mod settings;
mod snapshots;
mod sql;
mod statements;
mod tls;
mod transact;
mod write;
mod writer;

#[cfg(feature = "driver")]
/// The driver's names that a handler needs which uses [`Transaction::postgres`](crate::Transaction::postgres).
pub mod driver {
    pub use ::postgres::types::{FromSql, ToSql, Type};
    pub use ::postgres::{Error, GenericClient, Row, Statement, Transaction};
}

use std::sync::Arc;

pub use self::recorder::PostgresRecorder;
use crate::env::Env;
use crate::error::StoreError;
use crate::recorder::ProcessRecorder;
use crate::role::Role;

/// Opens the tables of an application in the database that `POSTGRES_DBNAME` names, and creates what is missing. Any number of
/// processes may do so at the same moment.
///
/// # Errors
/// When a setting is missing or wrong, the name of the application is too long, the database cannot be reached, the
/// tables belong to another application, or what is missing may not be created.
pub fn open(
    application: &str,
    role: Role,
    env: &Env,
) -> Result<Arc<dyn ProcessRecorder>, StoreError> {
    Ok(Arc::new(PostgresRecorder::open(application, role, env)?))
}

/// The statements that create all that an application needs, for those who run them themselves (`CREATE_TABLE=n`). What the
/// applications of a schema share is created only if it is missing.
///
/// # Errors
/// When a setting is wrong, or the name of the application is too long.
pub fn ddl(application: &str, role: Role, env: &Env) -> Result<String, StoreError> {
    let env = &env.for_application(application);
    let schema = env
        .get("POSTGRES_SCHEMA")
        .filter(|schema| !schema.is_empty());
    let names = names::Names::new(application, schema.unwrap_or("public"), env.id_type()?)?;
    Ok(ddl::script(&names, application, role))
}
