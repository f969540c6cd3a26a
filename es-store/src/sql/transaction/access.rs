//! The access of a transaction, and the way it ends.

/// The access that a transaction has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Queries only.
    Read,
    /// Queries and changes.
    Write,
}

/// The way a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// All changes are committed.
    Commit,
    /// All changes are rolled back.
    Rollback,
}
