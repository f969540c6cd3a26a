//! What a transaction may do, and how it ends.

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Only queries.
    Read,
    /// Anything.
    Write,
}

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// All of it takes place.
    Commit,
    /// Nothing of it does.
    Rollback,
}
