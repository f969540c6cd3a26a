//! Operating followers: the calls on a runner, rules for policies that fail, and what is reported.

pub use crate::application::metrics::ApplicationMetrics;
pub use crate::follower::metrics::{BatchMetrics, EdgeMetrics};
pub use crate::runner::health::Health;
pub use crate::runner::metrics::Metrics;
pub use crate::runner::operate::{Operate, Retried};
pub use es_store::Commits;
