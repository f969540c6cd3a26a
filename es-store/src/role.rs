//! The role of a store, and the names that are reserved.

/// The purpose of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// A store of events alone.
    Leader,
    /// A store of events and of the position in each upstream that the application follows.
    Follower,
}

/// Returns true if a name is reserved for the store's own use.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.is_empty() || name.starts_with("__")
}
