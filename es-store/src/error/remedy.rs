//! The remedies for errors of a store.

/// The remedy for an error of a store.
///
/// Each database has one table, `codes.rs`, that maps the codes of its errors to remedies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Remedy {
    /// A retry at once, as after a conflict or a deadlock.
    RetryNow,
    /// A later retry. The database may recover by itself or through an operator: a lock, a full
    /// disk, a server that is down.
    RetryLater,
    /// Other content: the store never keeps this one, or the statement is wrong.
    OtherContent,
    /// Another configuration of the database: a table or a privilege is missing, or the database is
    /// not the right one. A retry succeeds when an operator has repaired it.
    OtherConfiguration,
    /// No known remedy: a damaged file, a wrong call.
    Nothing,
}
