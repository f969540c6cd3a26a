//! The numbers of a runner's work.

use crate::application::metrics::ApplicationMetrics;
use crate::follower::metrics::EdgeMetrics;
use crate::runner::network::Network;

/// The numbers of a runner's work since it was made. They only grow, but for those of the last
/// batches, and begin at 0 in the next runner.
///
/// They are read one after the other, without a lock: during a commit some of them may be those of
/// the batch before.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// The edges, in the order of definition.
    pub edges: Vec<EdgeMetrics>,
    /// The applications of the system, in the order of definition.
    pub applications: Vec<ApplicationMetrics>,
}

impl Network {
    pub(super) fn metrics(&self) -> Metrics {
        let edges = self.edges().iter().map(|one| one.edge.metrics());
        let applications = self.applications().map(|one| one.metrics());
        Metrics {
            edges: edges.collect(),
            applications: applications.collect(),
        }
    }
}
