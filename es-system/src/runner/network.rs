//! The applications of a system, opened and connected; what all runners share.

use std::any::{TypeId, type_name};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use es_core::__private::panic_message;
use es_store::Signal;

use crate::application::{Application, Leader};
use crate::error::{Error, Result};
use crate::error::{Lag, NotIdle};
use crate::follower::status::{Condition, FollowerStatus};
use crate::follower::{Failure, Follower, Skips, Step};
use crate::projection::Projection;
use crate::projection::progress::RebuildProgress;
use crate::runner;
use crate::system::System;
use crate::system::node::Opened;
use es_store::Env;

/// The longest pause between two attempts at a batch that the store refused.
const LONGEST_BACKOFF: Duration = Duration::from_secs(1);

/// The applications of a system, opened, and the followers among them.
pub(crate) struct Network {
    nodes: Vec<Opened>,
    /// In the order of definition.
    followers: Vec<Arc<Follower>>,
    edges: Vec<Edge>,
    /// Rung after every move of a position and every stop of a follower.
    pub(crate) progress: Arc<Signal>,
}

/// Who follows whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    /// The node that is followed.
    pub(crate) leader: usize,
    /// The node that follows.
    pub(crate) node: usize,
    /// The follower, by its index among the followers.
    pub(crate) follower: usize,
    /// The leader, by its index among the follower's upstreams.
    pub(crate) upstream: usize,
}

/// What came of one attempt at a batch.
pub(crate) enum Attempt {
    /// It went well.
    Done(Step),
    /// The store refused it; it runs again after a pause.
    Retry(Duration),
    /// The follower has stopped.
    Stopped {
        /// Whether new events were recorded before.
        recorded: bool,
    },
}

impl Network {
    pub(crate) fn open(system: &System, env: &Env) -> Result<Self> {
        let nodes: Result<Vec<_>> = system
            .node_list()
            .iter()
            .map(|node| node.open(env.clone()))
            .collect();
        let mut network = Self {
            nodes: nodes?,
            followers: Vec::new(),
            edges: Vec::new(),
            progress: Signal::new(),
        };
        for node in 0..network.nodes.len() {
            network.connect(node, system.edge_list());
        }
        // Edges are worked on in the order in which they are defined, whatever the order of followers.
        let order = |edge: &Edge| {
            system
                .edge_list()
                .iter()
                .position(|e| *e == (edge.leader, edge.node))
        };
        network.edges.sort_by_key(order);
        Ok(network)
    }

    fn connect(&mut self, node: usize, edges: &[(usize, usize)]) {
        let Some(work) = self.nodes[node].work.clone() else {
            return;
        };
        let leaders: Vec<_> = edges
            .iter()
            .filter(|(_, follower)| *follower == node)
            .map(|(leader, _)| *leader)
            .collect();
        if leaders.is_empty() {
            return;
        }
        let follower = self.followers.len();
        let connect = |(upstream, &leader)| Edge {
            leader,
            node,
            follower,
            upstream,
        };
        self.edges.extend(leaders.iter().enumerate().map(connect));
        let upstreams = leaders
            .iter()
            .map(|&l| self.nodes[l].application.clone())
            .collect();
        let application = self.nodes[node].application.clone();
        self.followers
            .push(Arc::new(Follower::new(application, upstreams, work)));
    }

    pub(crate) fn get<A: Leader>(&self) -> Result<Arc<A>> {
        let wanted = |opened: &&Opened| opened.type_id == TypeId::of::<A>();
        let found = self
            .nodes
            .iter()
            .find(wanted)
            .map(|opened| opened.object.clone());
        found
            .and_then(|object| object.downcast::<A>().ok())
            .ok_or_else(|| {
                Error::Usage(format!(
                    "`{}` is not an application of this system",
                    type_name::<A>()
                ))
            })
    }

    /// The follower that the projection `A` is.
    pub(crate) fn projection<A: Projection>(&self) -> Result<&Follower> {
        let object = self.get::<A>()?;
        let same = |follower: &&Arc<Follower>| follower.application.instance() == object.instance();
        let follower = self.followers.iter().find(same);
        follower
            .map(|follower| &**follower)
            .ok_or_else(|| Error::Usage(format!("`{}` follows nobody in this system", A::NAME)))
    }

    /// Rebuilds the tables of the projection `A`; says whether its follower had stopped, and goes on now.
    pub(crate) fn rebuild<A: Projection>(
        &self,
        progress: &mut dyn FnMut(&RebuildProgress),
    ) -> Result<bool> {
        let follower = self.projection::<A>()?;
        follower.rebuild(progress)?;
        let goes_on = follower.status.mended();
        if goes_on {
            tracing::info!(follower = follower.name(), "a follower goes on");
        }
        Ok(goes_on)
    }

    pub(crate) fn followers(&self) -> &[Arc<Follower>] {
        &self.followers
    }

    pub(crate) fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The nodes that others follow, in the order of definition.
    pub(crate) fn leaders(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.nodes.len()).filter(|&node| self.edges.iter().any(|edge| edge.leader == node))
    }

    pub(crate) fn application(&self, node: usize) -> &Application {
        &self.nodes[node].application
    }

    pub(crate) fn node_of(&self, application: &Application) -> Option<usize> {
        let same = |opened: &Opened| opened.application.instance() == application.instance();
        self.nodes.iter().position(same)
    }

    /// One attempt at a batch of one edge; notes in the status what came of it.
    pub(crate) fn attempt(&self, follower: usize, upstream: usize, skips: Skips) -> Attempt {
        let follower = &self.followers[follower];
        if follower.status.stopped().is_some() {
            return Attempt::Stopped { recorded: false };
        }
        let mends = follower.status.mends();
        // Policies are caught one by one; what else panics is a defect here, and no command's.
        let pull = || follower.pull(upstream, skips);
        let attempt = match catch_unwind(AssertUnwindSafe(pull)).map_err(panic_message) {
            Ok(Ok(step)) => {
                follower.status.running();
                Attempt::Done(step)
            }
            Ok(Err(failure)) => self.failed(follower, failure, mends),
            Err(message) => {
                let error = Error::Usage(format!("`{}` panicked: {message}", follower.name()));
                self.failed(follower, Failure::Stop(error), mends)
            }
        };
        if !matches!(attempt, Attempt::Done(Step::UpToDate | Step::Skipped(_))) {
            self.progress.ring();
        }
        attempt
    }

    /// What becomes of each kind of failure. A policy's is where the user's rule applies; the one
    /// rule so far is to stop the follower in front of the event.
    fn failed(&self, follower: &Follower, failure: Failure, mends: u64) -> Attempt {
        let conflict = failure.is_conflict();
        match failure {
            Failure::Store(error) => {
                tracing::warn!(follower = follower.name(), %error, "a batch runs again");
                let attempts = follower.status.retrying(error);
                let after = if conflict {
                    attempts.saturating_sub(2)
                } else {
                    attempts
                };
                Attempt::Retry(backoff(after))
            }
            Failure::Policy { error, recorded } => stop(follower, error, recorded, mends),
            Failure::Stop(error) => stop(follower, error, false, mends),
            Failure::Abandoned => Attempt::Stopped { recorded: false },
        }
    }

    /// Why the first follower that has stopped did.
    pub(crate) fn first_error(&self) -> Result<()> {
        self.followers
            .iter()
            .find_map(|follower| follower.status.stopped())
            .map_or(Ok(()), Err)
    }

    pub(crate) fn status(&self) -> Result<Vec<FollowerStatus>> {
        let status = |follower: &Arc<Follower>| {
            Ok(FollowerStatus {
                follower: follower.name().to_owned(),
                positions: (0..follower.upstreams.len())
                    .map(|upstream| follower.position_in(upstream))
                    .collect::<Result<_>>()?,
                condition: follower.status.condition(),
            })
        };
        self.followers.iter().map(status).collect()
    }

    /// The edges that lag behind the heads as they are now, or whose follower has not yet looked whether its upstream is
    /// the one that it followed; `None` if there is no such edge, but a head moved while that was found out.
    ///
    /// The heads are read first, then all positions, then the heads again: when every position has reached its
    /// first head and no head has moved, there was a moment in between at which nothing was left to do.
    fn lags(&self) -> Result<Option<Vec<Lag>>> {
        let heads = self.heads()?;
        let lags: Result<Vec<_>> = self
            .edges
            .iter()
            .zip(&heads)
            .map(|(edge, head)| self.lag(edge, *head))
            .collect();
        let lags: Vec<_> = lags?.into_iter().flatten().collect();
        let moved = lags.is_empty() && heads != self.heads()?;
        Ok((!moved).then_some(lags))
    }

    fn lag(&self, edge: &Edge, head: u64) -> Result<Option<Lag>> {
        let follower = &self.followers[edge.follower];
        let (upstream, position) = follower.position_in(edge.upstream)?;
        if position >= head && follower.has_verified(edge.upstream) {
            return Ok(None);
        }
        let retrying = match follower.status.condition() {
            Condition::Retrying { error, .. } => Some(error.to_string()),
            _ => None,
        };
        let follower = follower.name().to_owned();
        Ok(Some(Lag {
            upstream,
            follower,
            position,
            head,
            retrying,
        }))
    }

    /// The head of each edge's leader.
    fn heads(&self) -> Result<Vec<u64>> {
        let leader = |edge: &Edge| self.application(edge.leader);
        self.edges
            .iter()
            .map(|edge| leader(edge).notification_log().head())
            .collect()
    }

    /// Waits until every follower has processed everything; `work` is done between two looks, and waits
    /// for progress or does some.
    pub(crate) fn wait_until_idle(
        &self,
        timeout: Duration,
        mut work: impl FnMut(Instant),
    ) -> Result<()> {
        let (started, deadline) = (Instant::now(), runner::deadline(timeout));
        loop {
            self.first_error()?;
            let lags = match self.lags() {
                // The store may do better next time.
                Err(error) if error.is_of_store() => Err(error),
                lags => Ok(lags?),
            };
            if matches!(&lags, Ok(Some(lags)) if lags.is_empty()) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let (waited, lags) = (started.elapsed(), lags?.unwrap_or_default());
                return Err(Error::NotIdle(Arc::new(NotIdle { waited, lags })));
            }
            work(deadline);
        }
    }

    /// Waits until a follower has stopped, `done` holds, or `timeout` is over.
    pub(crate) fn watch_for_errors(
        &self,
        timeout: Duration,
        done: impl Fn() -> bool,
    ) -> Result<()> {
        let deadline = runner::deadline(timeout);
        loop {
            let seen = self.progress.rings();
            self.first_error()?;
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || done() {
                return Ok(());
            }
            self.progress.wait(seen, left);
        }
    }
}

/// Stops a follower, unless its tables were rebuilt during the attempt: then it is tried again with the new ones.
fn stop(follower: &Follower, error: Error, recorded: bool, mends: u64) -> Attempt {
    let message = error.to_string();
    if !follower.status.stop(error, mends) {
        return Attempt::Retry(Duration::ZERO);
    }
    tracing::error!(follower = follower.name(), error = %message, "a follower stops");
    Attempt::Stopped { recorded }
}

/// The pause before the next attempt: 10 ms, doubled each time, up to a second. A conflict says that somebody
/// else got on, so the first two count as none.
fn backoff(attempts: u32) -> Duration {
    if attempts == 0 {
        return Duration::ZERO;
    }
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1).min(16));
    LONGEST_BACKOFF.min(Duration::from_millis(10) * doubled)
}
