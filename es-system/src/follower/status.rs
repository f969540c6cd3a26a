//! The condition of a follower while it runs.

use es_core::Timestamp;

use crate::error::Error;

/// The condition of one follower of a running system.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FollowerStatus {
    /// The name of the application.
    pub follower: String,
    /// The worst condition among its edges.
    pub condition: Condition,
    /// The edges, in the order in which the pipes define them.
    pub edges: Vec<EdgeStatus>,
}

/// The condition of a follower with respect to one of its upstreams.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EdgeStatus {
    /// The name of the application that is followed.
    pub upstream: String,
    /// The recorded position in the upstream; 0 is before the first event. `None` if it cannot be
    /// read now.
    pub position: Option<u64>,
    /// The condition of this edge.
    pub condition: Condition,
    /// The number of batches of this runner that were not committed because another writer was
    /// first: another instance of the follower that moved the position, or a save of an aggregate
    /// that the batch changed. They run again, and nothing is wrong.
    pub conflicts: u64,
}

/// The condition of a follower or of one of its edges.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Condition {
    /// It processes events as they come.
    #[default]
    Running,
    /// The runner was not started, or was stopped. Nothing is processed here.
    NotRunning,
    /// A store failed, or another writer was first. The batch runs again automatically.
    #[non_exhaustive]
    Retrying {
        /// The last failure.
        error: Error,
        /// The number of failures in a row.
        attempts: u32,
    },
    /// The policy for the next event has failed, and is tried again after a pause, as its rule or
    /// its error tells. The events behind it wait meanwhile.
    #[non_exhaustive]
    Waiting {
        /// The last failure.
        error: Error,
        /// The number of failures in a row.
        attempts: u32,
    },
    /// An operator has paused it. It processes nothing until it is resumed.
    #[non_exhaustive]
    Paused {
        /// The person or program that has paused it.
        who: String,
        /// The time at which it was paused.
        when: Timestamp,
    },
    /// The next event is newer than this program: its kind is not known here, and a policy follows
    /// all of its aggregate (`#[policy(Parcel::*)]`), or its version is not known. Everything
    /// before it is processed. The position does not move past the event until a newer program
    /// processes it; this program then goes on behind it.
    ///
    /// Or another program follows with other policies, and this one has stepped back. It goes on
    /// when its own policies are recorded.
    #[non_exhaustive]
    WaitingForNewer {
        /// The application that follows.
        application: String,
        /// The application that is followed.
        upstream: String,
        /// The position of the event, or the recorded position at which this program has stepped
        /// back.
        position: u64,
        /// The topic of the event, or that of the other program's policy: `Dog.` for all events of
        /// `Dog`, and `*` for all events.
        topic: String,
        /// The reason why this program cannot process the event.
        error: Error,
    },
    /// A store is configured wrongly: a table or a privilege is missing, for example. The batch
    /// runs again automatically, and succeeds once an operator has repaired that. From the third
    /// attempt on, [`Runner::watch_for_errors`](crate::Runner::watch_for_errors) fails with the
    /// error.
    #[non_exhaustive]
    Misconfigured {
        /// The last failure.
        error: Error,
        /// The number of failures in a row.
        attempts: u32,
    },
    /// The follower has stopped in front of an event. A new runner begins with that event. A
    /// projection also continues in this runner after [`Runner::rebuild`](crate::Runner::rebuild).
    #[non_exhaustive]
    Stopped {
        /// The failure that stopped it.
        error: Error,
    },
}

impl FollowerStatus {
    /// Returns the status in a runner that does not run. A follower that has stopped stays so.
    pub(crate) fn not_running(mut self) -> Self {
        let edges = self.edges.iter_mut().map(|edge| &mut edge.condition);
        for condition in edges.chain([&mut self.condition]) {
            if !matches!(condition, Condition::Stopped { .. }) {
                *condition = Condition::NotRunning;
            }
        }
        self
    }
}

impl Condition {
    pub(super) fn severity(&self) -> u8 {
        match self {
            Self::Running | Self::NotRunning => 0,
            Self::Retrying { .. } => 1,
            Self::Waiting { .. } => 2,
            Self::WaitingForNewer { .. } => 3,
            Self::Paused { .. } => 4,
            Self::Misconfigured { .. } => 5,
            Self::Stopped { .. } => 6,
        }
    }
}
