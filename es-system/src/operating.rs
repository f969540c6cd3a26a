//! Operating followers: the calls on a runner, its health and the numbers of its work. The page
//! [`runbooks`](crate::guide::runbooks) of the guide tells when to use which.

pub use crate::application::metrics::ApplicationMetrics;
pub use crate::follower::metrics::{BatchMetrics, EdgeMetrics};
pub use crate::runner::health::Health;
pub use crate::runner::metrics::Metrics;
pub use crate::runner::operate::{Operate, Retried};
pub use es_store::Commits;
