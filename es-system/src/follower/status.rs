//! The condition of a follower, to look at while it runs.

use crate::error::Error;

/// The condition of one follower of a running system.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FollowerStatus {
    /// The name of the application.
    pub follower: String,
    /// The worst condition of its edges.
    pub condition: Condition,
    /// Its edges, in the order in which the pipes define them.
    pub edges: Vec<EdgeStatus>,
}

/// The condition of a follower in one of the applications that it follows.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EdgeStatus {
    /// The name of the application that is followed.
    pub upstream: String,
    /// The recorded position in it; 0 is before the first event. `None` if it cannot be read now.
    pub position: Option<u64>,
    /// The condition of this edge.
    pub condition: Condition,
}

/// Whether a follower, or one of its edges, works.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Condition {
    /// It processes events as they come.
    #[default]
    Running,
    /// A store failed, or another writer was first; the batch runs again by itself.
    #[non_exhaustive]
    Retrying {
        /// The last failure.
        error: Error,
        /// The number of failures in a row.
        attempts: u32,
    },
    /// The follower stopped in front of an event: a new runner begins with it, and
    /// [`Runner::rebuild`](crate::Runner::rebuild) has a projection go on in this one.
    #[non_exhaustive]
    Stopped {
        /// The failure that stopped it.
        error: Error,
    },
}

impl Condition {
    pub(super) fn severity(&self) -> u8 {
        match self {
            Self::Running => 0,
            Self::Retrying { .. } => 1,
            Self::Stopped { .. } => 2,
        }
    }
}
