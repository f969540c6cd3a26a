//! The remedies for errors of a database.

/// The remedy for an error of a database.
///
/// Each database has one table, `codes.rs`, that maps the codes of its errors to remedies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// A retry at once, as after a deadlock.
    RetryNow,
    /// A later retry. The database may recover by itself or through an operator: a lock, a full
    /// disk, a server that is down.
    RetryLater,
    /// Other content: this database never keeps it, or the statement is wrong.
    OtherContent,
    /// Other settings or privileges: the database is read-only, or is not a database.
    OtherConfiguration,
    /// No known remedy: a damaged file, a bug of the driver.
    Nothing,
}
