//! What a store is for, and which names it keeps for itself.

/// What a store keeps for an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Events only.
    Leader,
    /// Events, and how far it has processed each application that it follows.
    Follower,
}

/// Whether a name is kept for the store's own use.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.is_empty() || name.starts_with("__")
}
