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

/// The prefix of an upstream's name in the rows of a rebuild. No application may have a name that
/// begins with it.
pub(crate) const REBUILD: &str = "__rebuild__";

/// Returns the name of `upstream` in the rows of a rebuild.
pub(crate) fn rebuild_row(upstream: &str) -> String {
    format!("{REBUILD}{upstream}")
}
