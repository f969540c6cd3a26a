//! The remedies of errors of a database.

/// The change that is needed before a database does what it has refused.
///
/// Each database has one table, `codes.rs`, that maps the codes of its errors to these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Nothing: the same call may succeed at once, as after a deadlock.
    RetryNow,
    /// The state of the database, which may change by itself or by an operator: a lock, a full
    /// disk, a server that is not there.
    RetryLater,
    /// The content: this database never keeps it, or this statement is wrong.
    OtherContent,
    /// The settings or privileges: the database may only be read, or is none.
    OtherConfiguration,
    /// Nothing that is known of: a damaged file, a fault of the driver.
    Nothing,
}
