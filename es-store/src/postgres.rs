//! A store in a PostgreSQL database (14 or newer), any number of applications per schema, in the format of the Python library.
//!
//! `POSTGRES_DBNAME`, `POSTGRES_HOST`, `POSTGRES_USER` and `POSTGRES_PASSWORD` must be given; `POSTGRES_PORT` is 5432.
//! A host that begins with `/` is the folder of a Unix socket. Several hosts, with one port or as many, are separated by
//! commas: the first that can be written to is used. `POSTGRES_SCHEMA` is `public`.
//!
//! `POSTGRES_LOCK_TIMEOUT` is how many seconds to wait for a lock (30; 0 is for ever), and
//! `POSTGRES_IDLE_IN_TRANSACTION_SESSION_TIMEOUT` how many a transaction may stand still (5). `POSTGRES_CONNECT_TIMEOUT` is how many
//! seconds an attempt to connect may take (30; 0 is for ever), with all that belongs to it: names, TLS, authentication and the first
//! statements. Several hosts share it, so that one that is silent leaves time for the next. `POSTGRES_REQUEST_TIMEOUT` is how many
//! seconds the server may take to answer a request (60; 0 is for ever), in addition to the time for a lock, or to `POLICY_TIMEOUT` in
//! a projection's transaction. When they are over, the connection is closed and counts as lost.
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
//!
//! In the middle of an async task of tokio every call is an error that says where to do it instead, since it would block the task.
//!
//! Python programs that share the database must leave POSTGRES_ENABLE_DB_FUNCTIONS off, as it is by default: with it they
//! take no lock, so their events may become visible out of the order of their positions, and a follower skips one.

mod append;
mod blocking;
pub(crate) mod client;
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
mod tls;
mod transact;
mod write;
mod writer;

/// The names that a handler needs which uses [`Transaction::postgres`](crate::Transaction::postgres): types, rows and errors of
/// `tokio-postgres`, and a client of our own that blocks.
pub mod driver {
    pub use tokio_postgres::types::{FromSql, ToSql, Type};
    pub use tokio_postgres::{Error, Row, Statement, ToStatement};

    pub use super::client::{Client, CopyInWriter, CopyOutReader, Transaction};
}

use std::sync::Arc;

pub(crate) use self::connection::Statements;
pub(crate) use self::label::{is_lost, said};
pub use self::recorder::PostgresRecorder;
pub(crate) use self::rows::upstream_id_text;
use crate::{Env, ProcessRecorder, Role, StoreError};

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
