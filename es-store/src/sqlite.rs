//! A store in an SQLite database, one application per database, in the format of the Python
//! library.
//!
//! Its settings are those of [`KEYS`](crate::KEYS) with the scope
//! [`Sqlite`](crate::KeyScope::Sqlite). `SQLITE_DBNAME` names one of:
//!
//! - a file, by its path or as a `file:` URI;
//! - a database in memory that all recorders of this process share by its name
//!   (`file:NAME?mode=memory&cache=shared`), until the last one closes it;
//! - a database in memory for one recorder (`:memory:`).
//!
//! With `CREATE_TABLE=n` nothing is created, and a missing table is an error that names it. If only
//! `stored_snapshots` is missing, no snapshots are kept. A rebuild of a projection's tables locks a
//! file beside the database, called like it with `.rebuild` appended. That file stays.

mod authorizer;
mod busy;
mod checkup;
mod codes;
mod columns;
mod connection;
mod database;
mod executor;
mod followed;
mod former;
mod location;
mod positions;
mod rebuild;
mod recorder;
mod resent;
mod rows;
mod schema;
mod statements;
mod tables;
mod user_transaction;
mod watch;
mod write;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use self::connection::SqliteOptions;
use self::database::Database;
use self::recorder::SqliteRecorder;
use self::schema::Wanted;
use crate::env::Env;
use crate::error::StoreError;
use crate::recorder::ProcessRecorder;
use crate::role::Role;

/// Opens the SQLite database that `SQLITE_DBNAME` names, and creates missing tables. Any number of
/// processes may do this at once.
///
/// # Errors
/// Fails when a setting is missing or wrong, the file cannot be opened or is not a database, it
/// belongs to another application, or it stays locked for longer than the limit.
pub fn open(
    application: &str,
    role: Role,
    env: &Env,
) -> Result<Arc<dyn ProcessRecorder>, StoreError> {
    let options = options(env)?;
    let wanted = Wanted {
        application,
        role,
        create: options.create,
    };
    let id_type = env.id_type()?;
    let database = Database::open(&options)?;
    let layout = database.prepare(&wanted)?;
    Ok(Arc::new(SqliteRecorder::new(
        application,
        database,
        role,
        id_type,
        layout,
    )))
}

/// Returns the statements that create all tables of an application, to be run by hand
/// (`CREATE_TABLE=n`).
pub fn ddl(application: &str, role: Role) -> String {
    tables::script(application, role)
}

fn options(env: &Env) -> Result<SqliteOptions, StoreError> {
    let name = env.require("SQLITE_DBNAME")?;
    if name.is_empty() {
        return Err(env
            .invalid("SQLITE_DBNAME", "the name of a database")
            .into());
    }
    let no_yield = 0;
    Ok(SqliteOptions {
        name: name.to_owned(),
        lock_timeout: env.seconds("SQLITE_LOCK_TIMEOUT", Duration::from_secs(5))?,
        rest: match env.number("SQLITE_YIELD", no_yield)? {
            0 => None,
            milliseconds => Some(Duration::from_millis(milliseconds)),
        },
        create: env.boolean("CREATE_TABLE", true)?,
    })
}
