//! The lock of a rebuild. For a database in a file it is a lock of the operating system on a file
//! beside it, which ends with the process. For a database in memory it is a flag.

use std::ffi::OsString;
use std::fs::{self, OpenOptions, TryLockError};

use super::database::Database;
use super::location;
use crate::error::StoreError;
use crate::rebuild_lock::RebuildLock;

/// Takes the lock, or returns `None` if another owner has it.
pub(super) fn lock(database: &Database) -> Result<Option<RebuildLock>, StoreError> {
    let Some(flag) = database.rebuilding.raise() else {
        return Ok(None);
    };
    if database.file.is_none() {
        return Ok(Some(RebuildLock::new(flag)));
    }
    let failed = |error| database.label.driver("locking for a rebuild", error);
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(lock_file(&database.options.name))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(RebuildLock::new((file, flag)))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Returns the path of the file that is locked. A database with several names has one such file.
fn lock_file(name: &str) -> OsString {
    let path = location::path(name);
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut beside = path.into_os_string();
    beside.push(".rebuild");
    beside
}
