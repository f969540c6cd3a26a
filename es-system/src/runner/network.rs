//! The opened and connected applications of a system, which all runners share.

use std::any::{TypeId, type_name};
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use es_store::{Env, Signal};

use crate::application::{Application, ApplicationType};
use crate::error::{Error, Lag, NotIdle, Result};
use crate::follower::Follower;
use crate::follower::edge::Edge;
use crate::follower::status::{Condition, FollowerStatus};
use crate::follower::step::{Skips, Step};
use crate::projection::Projection;
use crate::runner;
use crate::runner::store_reads::StoreReads;
use crate::system::System;
use crate::system::node::Opened;

/// The opened applications of a system, and the followers among them.
pub struct Network {
    nodes: Vec<Opened>,
    /// The followers, in the order of definition.
    followers: Vec<Arc<Follower>>,
    /// The edges, in the order of definition, whatever the order of the followers.
    edges: Vec<Connection>,
    /// Rung after every move of a position and every stop of a follower.
    pub(crate) progress: Arc<Signal>,
    pub(super) store_reads: StoreReads,
}

/// An edge between two nodes.
pub(crate) struct Connection {
    /// The index of the node that is followed.
    pub(crate) leader: usize,
    /// The index of the node that follows.
    pub(crate) node: usize,
    pub(crate) edge: Arc<Edge>,
    /// The nodes of the cycle that the edge is part of: those that follow the leader, directly or
    /// not, and that it follows. Empty if there is none.
    pub(crate) cycle: Vec<usize>,
}

impl Network {
    pub(crate) fn open(system: &System, env: &Env) -> Result<Self> {
        for (found, meant) in env.misspelled_applications(&system.nodes()) {
            tracing::warn!("{found} is for no application of the system: is it {meant}?");
        }
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
            store_reads: StoreReads::default(),
        };
        for node in 0..network.nodes.len() {
            network.connect(node, system.edge_list());
        }
        let order = |connection: &Connection| {
            let pair = (connection.leader, connection.node);
            system.edge_list().iter().position(|edge| *edge == pair)
        };
        network.edges.sort_by_key(order);
        Ok(network)
    }

    fn connect(&mut self, node: usize, edges: &[(usize, usize)]) {
        let Some(work) = self.nodes[node].work.clone() else {
            return;
        };
        let leaders = edges.iter().filter(|(_, follower)| *follower == node);
        let leaders: Vec<_> = leaders.map(|(leader, _)| *leader).collect();
        if leaders.is_empty() {
            return;
        }
        let application = |node: usize| self.nodes[node].application.clone();
        let upstreams = leaders.iter().map(|&leader| application(leader)).collect();
        let follower = Follower::new(application(node), upstreams, work);
        let connections = leaders.iter().zip(follower.edges());
        self.edges
            .extend(connections.map(|(&leader, edge)| Connection {
                leader,
                node,
                edge: edge.clone(),
                cycle: cycle_of(leader, node, edges),
            }));
        self.followers.push(Arc::new(follower));
    }

    pub(crate) fn get<A: ApplicationType>(&self) -> Result<Arc<A>> {
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

    /// Has every save to an application of the system compare values with what was stored of them.
    pub(crate) fn compare_values(&self) {
        self.applications().for_each(Application::compare_values);
    }

    /// Returns the applications, in the order of definition.
    pub(super) fn applications(&self) -> impl Iterator<Item = &Application> {
        self.nodes.iter().map(|opened| &opened.application)
    }

    /// Returns the follower of the projection `A`.
    pub(crate) fn projection<A: Projection>(&self) -> Result<&Follower> {
        self.follower::<A>()
    }

    /// Returns the error that stopped the follower `A`, if it has stopped.
    pub(super) fn stop_of<A: ApplicationType>(&self) -> Option<Error> {
        let instance = self.get::<A>().ok()?.instance();
        let mut followers = self.followers.iter();
        let follower = followers.find(|one| one.application().instance() == instance);
        follower?.stopped()
    }

    /// Returns the follower of the application `name`.
    #[cfg(feature = "cli")]
    pub(crate) fn follower_named(&self, name: &str) -> Option<&Arc<Follower>> {
        let mut followers = self.followers.iter();
        followers.find(|follower| follower.name() == name)
    }

    pub(crate) fn followers(&self) -> &[Arc<Follower>] {
        &self.followers
    }

    pub(crate) fn edges(&self) -> &[Connection] {
        &self.edges
    }

    /// Returns the nodes that others follow, in the order of definition.
    pub(crate) fn leaders(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.nodes.len()).filter(|&node| self.edges.iter().any(|edge| edge.leader == node))
    }

    pub(crate) fn application(&self, node: usize) -> &Application {
        &self.nodes[node].application
    }

    /// Returns the error of applications that answer each other without end.
    pub(crate) fn endless(&self, cycle: &[usize], events: u64) -> Error {
        let name = |&node: &usize| self.application(node).name().to_owned();
        Error::EndlessCycle {
            applications: cycle.iter().map(name).collect(),
            events,
        }
    }

    pub(crate) fn node_of(&self, application: &Application) -> Option<usize> {
        let same = |opened: &Opened| opened.application.instance() == application.instance();
        self.nodes.iter().position(same)
    }

    /// Takes a step of one edge, as [`Edge::step`], and signals progress if anything changed.
    pub(crate) fn step(&self, edge: &Edge, skips: Skips, due: es_core::Timestamp) -> Step {
        let step = edge.step(Instant::now(), skips, due);
        if step.changed {
            self.progress.ring();
        }
        step
    }

    /// Fails if a follower cannot work as its program tells: its store cannot keep what its rules
    /// set aside, or a policy was added without telling what becomes of the events that it has
    /// missed.
    pub(super) fn refuse_to_start(&self) -> Result<()> {
        for follower in &self.followers {
            follower.refuse_to_set_aside()?;
        }
        self.refuse_undecided()
    }

    /// Fails if a policy was added to a follower without telling what becomes of the events that it
    /// has missed. If a store cannot be read now, the steps of the edge find out.
    fn refuse_undecided(&self) -> Result<()> {
        self.decide(Edge::undecided)
    }

    /// Records the policies of each follower. Fails as [`refuse_undecided`](Self::refuse_undecided)
    /// does, which comes first: a program that does not start changes nothing, unless another one
    /// moves a position between the two.
    pub(super) fn record_policies(&self) -> Result<()> {
        self.decide(Edge::record_at_start)
    }

    fn decide(&self, decide: fn(&Edge) -> Result<Option<Error>>) -> Result<()> {
        let edges = self.edges.iter();
        let mut decided = edges.map(|connection| decide(&connection.edge));
        let error = decided.find_map(|decided| decided.ok().flatten());
        error.map_or(Ok(()), Err)
    }

    /// Fails if a follower has stopped, with the error that stopped the first one.
    fn first_stop(&self) -> Result<()> {
        let mut stopped = self.followers.iter().filter_map(|one| one.stopped());
        stopped.next().map_or(Ok(()), Err)
    }

    /// Does the same, and also fails if a follower cannot work with the configuration of a store.
    fn first_error(&self) -> Result<()> {
        self.first_stop()?;
        let mut misconfigured = self.followers.iter().filter_map(|one| one.misconfigured());
        misconfigured.next().map_or(Ok(()), Err)
    }

    /// Returns the status of each follower. Their positions are read at the same time, so that a
    /// store that does not answer delays the others by no more than its own time limit.
    pub(crate) fn status(&self, is_running: bool) -> Vec<FollowerStatus> {
        let statuses: Vec<_> = thread::scope(|scope| {
            let read = |follower: &Arc<Follower>| {
                let follower = follower.clone();
                let reading = thread::Builder::new().spawn_scoped(scope, {
                    let follower = follower.clone();
                    move || follower.status()
                });
                (follower, reading.ok())
            };
            let reading: Vec<_> = self.followers.iter().map(read).collect();
            let status = |(follower, reading): (Arc<Follower>, Option<ScopedJoinHandle<'_, _>>)| {
                let read = reading.and_then(|thread| thread.join().ok());
                // Where no thread can be started, this one reads.
                read.unwrap_or_else(|| follower.status())
            };
            reading.into_iter().map(status).collect()
        });
        if is_running {
            return statuses;
        }
        let statuses = statuses.into_iter();
        statuses.map(FollowerStatus::not_running).collect()
    }

    /// Returns the edges that lag behind the current heads, or whose upstream is not yet verified.
    /// Returns `None` if no edge lags, but a head moved during the check.
    ///
    /// The heads are read first, then all positions, then the heads again. If every position has
    /// reached its first head and no head has moved, there was a moment in between at which nothing
    /// was left to do.
    fn lags(&self) -> Result<Option<Vec<Lag>>> {
        let heads = self.heads()?;
        let lags: Result<Vec<_>> = self
            .edges
            .iter()
            .zip(&heads)
            .map(|(connection, head)| lag(&connection.edge, *head))
            .collect();
        let lags: Vec<_> = lags?.into_iter().flatten().collect();
        let moved = lags.is_empty() && heads != self.heads()?;
        Ok((!moved).then_some(lags))
    }

    /// Returns the head of each edge's leader.
    fn heads(&self) -> Result<Vec<u64>> {
        let head = |connection: &Connection| connection.edge.upstream().notification_log().head();
        self.edges.iter().map(head).collect()
    }

    /// Waits until every follower has processed every event. Between two checks, `work` either
    /// waits for progress or does some of the work.
    pub(crate) fn wait_until_idle(
        &self,
        timeout: Duration,
        mut work: impl FnMut(Instant) -> Result<()>,
    ) -> Result<()> {
        let started = Instant::now();
        let deadline = runner::deadline(timeout);
        loop {
            self.first_stop()?;
            let lags = match self.lags() {
                // The store may recover before the next check.
                Err(error) if error.is_of_store() => Err(error),
                lags => Ok(lags?),
            };
            if matches!(&lags, Ok(Some(lags)) if lags.is_empty()) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let waited = started.elapsed();
                let lags = lags?.unwrap_or_default();
                return Err(Error::NotIdle(Arc::new(NotIdle { waited, lags })));
            }
            work(deadline)?;
        }
    }

    /// Waits until [`first_error`](Self::first_error) fails, `done` returns true, or `timeout` has
    /// passed.
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

/// Returns the nodes of the cycle that the edge from `leader` to `node` is part of, in the order of
/// definition.
pub(super) fn cycle_of(leader: usize, node: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let followers_of = |first: usize| {
        let mut found = vec![first];
        let mut next = 0;
        while let Some(&leader) = found.get(next) {
            let followers = edges.iter().filter(|edge| edge.0 == leader);
            for (_, follower) in followers {
                if !found.contains(follower) {
                    found.push(*follower);
                }
            }
            next += 1;
        }
        found
    };
    let mut cycle = followers_of(node);
    if !cycle.contains(&leader) {
        return Vec::new();
    }
    cycle.retain(|&member| followers_of(member).contains(&leader));
    cycle.sort_unstable();
    cycle
}

/// Returns the lag of an edge behind `head`, or `None` if it does not lag.
fn lag(edge: &Edge, head: u64) -> Result<Option<Lag>> {
    let (position, is_due) = edge.position_and_due()?;
    if position > head && edge.upstream().notification_log().head()? < position {
        // The log has lost events. The next step tells.
        edge.doubt_history();
    }
    if position >= head && !is_due && edge.has_looked() {
        return Ok(None);
    }
    let (mut retrying, mut waiting_for_newer, mut paused) = (None, None, None);
    match edge.condition() {
        Condition::Retrying { error, .. }
        | Condition::Waiting { error, .. }
        | Condition::Misconfigured { error, .. } => {
            retrying = Some(error.to_string());
        }
        Condition::Paused { who, .. } => paused = Some(who),
        Condition::WaitingForNewer { error, .. } => waiting_for_newer = Some(error.to_string()),
        Condition::Running
        | Condition::NotRunning
        | Condition::Overdue { .. }
        | Condition::Stopped { .. } => {}
    }
    Ok(Some(Lag {
        upstream: edge.upstream().name().to_owned(),
        follower: edge.follower().name().to_owned(),
        position,
        head,
        retrying,
        waiting_for_newer,
        paused,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_in_a_cycle_if_its_leader_follows_its_follower() {
        // 0 → 1 → 2 → 1, 2 → 3, 4 → 4
        let edges = [(0, 1), (1, 2), (2, 1), (2, 3), (4, 4)];
        let cycles = edges.map(|(leader, node)| cycle_of(leader, node, &edges));
        let expected: [&[usize]; 5] = [&[], &[1, 2], &[1, 2], &[], &[4]];
        assert_eq!(cycles, expected);
    }
}
