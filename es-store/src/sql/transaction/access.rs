//! The access of a transaction, and its end.

/// The access that a transaction has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Only queries.
    Read,
    /// Anything.
    Write,
}

/// The end of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// All of it takes place.
    Commit,
    /// Nothing of it does.
    Rollback,
}
