//! The role of a store, and the names that are reserved.

/// The purpose of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Events only.
    Leader,
    /// Events, and how far it has processed each application that it follows.
    Follower,
}

/// Returns true if a name is kept for the store's own use.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.is_empty() || name.starts_with("__")
}
