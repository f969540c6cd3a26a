//! The condition of a follower while it runs.

use std::time::Duration;

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
    /// The last position of the upstream; 0 if its log is empty. `None` if it cannot be read now.
    pub head: Option<u64>,
    /// The number of positions between the two, which is at least the number of events that are not
    /// processed. `None` if one of them cannot be read now.
    pub lag: Option<u64>,
    /// The age of the oldest event that a policy wants and that is not processed, apart from those
    /// that are set aside; zero if there is none. `None` if it cannot be read.
    pub age: Option<Duration>,
    /// The condition of this edge.
    pub condition: Condition,
    /// The time since when the condition holds; `None` if it is not known, as while the follower
    /// has run without a failure since its start.
    pub since: Option<Timestamp>,
    /// The number of failures in a row.
    pub attempts: u32,
    /// The rule for the event in front of which the follower waits or has stopped, as it is written
    /// in an attribute. `None` if it stands in front of no event whose policy has failed.
    pub rule: Option<String>,
    /// The last error with its causes, in one line: that of this runner, or the one by which the
    /// follower has stopped in another one. `None` if there is none, or it cannot be read now.
    pub last_error: Option<String>,
    /// The number of events that are set aside and wait. `None` if it cannot be read now.
    pub set_aside: Option<u64>,
    /// The position of the event whose policy runs in this runner, and the time for which it has
    /// run. `None` if none runs.
    pub in_hand: Option<(u64, Duration)>,
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
    /// A policy has run for longer than `POLICY_TIMEOUT` allows. Its effects will not be recorded,
    /// and when it returns it has failed. A thread cannot be ended: if the policy never returns,
    /// only the end of the process helps, and the next one begins with this event.
    #[non_exhaustive]
    Overdue {
        /// The position of the event.
        position: u64,
        /// The time for which the policy has run.
        elapsed: Duration,
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
    /// Returns the status in a runner that does not run. A follower that has stopped or is paused
    /// stays so.
    pub(crate) fn not_running(mut self) -> Self {
        let edges = self.edges.iter_mut().map(|edge| &mut edge.condition);
        for condition in edges.chain([&mut self.condition]) {
            if !matches!(
                condition,
                Condition::Stopped { .. } | Condition::Paused { .. }
            ) {
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
            Self::Overdue { .. } => 4,
            Self::Paused { .. } => 5,
            Self::Misconfigured { .. } => 6,
            Self::Stopped { .. } => 7,
        }
    }
}
