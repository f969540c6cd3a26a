//! The limits of the work that a runner does on the thread of its caller.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use es_core::Timestamp;
use es_core::source::{Source, SystemSource};
use es_store::Env;

use crate::error::{Error, Result};
use crate::runner::network::{Connection, Network, cycle_of};

/// The time for which a command retries a batch that the store refuses. After it, the next pull
/// retries the batch.
const COMMAND_RETRY_LIMIT: Duration = Duration::from_secs(1);

/// The key of the maximum number of events in cycles.
const CYCLE_EVENTS: &str = "CYCLE_EVENTS_MAX";

/// The number of further events that are processed in a cycle for each event that was there before
/// the work began.
const ANSWERS: u64 = 10;

/// Returns the maximum number of events in cycles that one call processes; 0 is no limit.
pub(crate) fn cycle_events(env: &Env) -> Result<u64> {
    env.number(CYCLE_EVENTS, 10_000)
        .map_err(|error| Error::env("the runner", error))
}

/// The time limits of one piece of work.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// The moment up to which a batch that the store refuses is retried.
    pub(super) retry: Instant,
    /// The moment at which work ends even if all goes well.
    stop: Option<Instant>,
}

impl Limits {
    pub(super) fn of_a_command() -> Self {
        Self {
            retry: Instant::now() + COMMAND_RETRY_LIMIT,
            stop: None,
        }
    }

    /// Returns the limits of work that is repeated until `deadline`, so that nothing is retried
    /// within it.
    pub(super) fn of_a_wait(deadline: Instant) -> Self {
        Self {
            retry: Instant::now(),
            stop: Some(deadline),
        }
    }

    /// Returns the longest time to wait for the work lock.
    pub(super) fn wait(self) -> Duration {
        self.stop.map_or(Duration::MAX, |stop| {
            stop.saturating_duration_since(Instant::now())
        })
    }

    fn are_over(self) -> bool {
        self.stop.is_some_and(|stop| Instant::now() >= stop)
    }
}

/// The number of events that one piece of work may process in cycles of applications, which may
/// answer each other without end. All other work ends by itself.
pub(super) struct Budget {
    limits: Limits,
    /// The time at which the work began.
    began: Timestamp,
    /// The number of events in cycles that are left; `None` is no limit.
    left: Option<u64>,
    spent: u64,
    /// The edges in cycles whose events of before were counted, as pairs of nodes, with true if
    /// those of a replay were.
    begun: HashSet<(usize, usize, bool)>,
    /// The pairs of a node whose policies saved to another one, and that one. Such a save leads
    /// from one to the other as an edge does.
    saves: Vec<(usize, usize)>,
    /// The cycle of each edge with those saves, once there are any.
    cycles: HashMap<(usize, usize), Vec<usize>>,
    /// The nodes of the cycle in which the last event was processed.
    cycle: Vec<usize>,
}

impl Budget {
    /// Creates the budget of work that may process `events` events in cycles; 0 is no limit.
    pub(super) fn new(events: u64, limits: Limits) -> Self {
        Self {
            limits,
            // The clock of a test may count how often it is read.
            began: SystemSource.now(),
            left: (events > 0).then_some(events),
            spent: 0,
            begun: HashSet::new(),
            saves: Vec::new(),
            cycles: HashMap::new(),
            cycle: Vec::new(),
        }
    }

    /// Returns the time at which the work began. Of the events that are set aside, it retries
    /// those that were due then. So each is tried once, and the work ends however soon they are due
    /// again.
    pub(super) fn began(&self) -> Timestamp {
        self.began
    }

    /// Adds the nodes that the policies of a connection have saved to during a step. Returns true
    /// if there are new ones among them, which may have made a cycle.
    pub(super) fn add_saves(
        &mut self,
        network: &Network,
        connection: &Connection,
        saved_to: Vec<usize>,
    ) -> bool {
        let before = self.saves.len();
        for node in saved_to {
            let save = (connection.node, node);
            if !self.saves.contains(&save) {
                self.saves.push(save);
            }
        }
        if self.saves.len() == before {
            return false;
        }
        let edges = network.edges().iter().map(|edge| (edge.leader, edge.node));
        let edges: Vec<_> = edges.chain(self.saves.iter().copied()).collect();
        let cycle = |edge: &Connection| {
            let (leader, node) = (edge.leader, edge.node);
            ((leader, node), cycle_of(leader, node, &edges))
        };
        self.cycles = network.edges().iter().map(cycle).collect();
        true
    }

    /// Returns the nodes of the cycle that a connection is part of.
    fn cycle_of<'a>(&'a self, connection: &'a Connection) -> &'a [usize] {
        let by_saves = self.cycles.get(&(connection.leader, connection.node));
        by_saves.unwrap_or(&connection.cycle)
    }

    /// Adds what the events allow that an edge of a cycle has not processed yet. It is called
    /// before each step, because a step may begin a replay of earlier events.
    pub(super) fn begin(&mut self, connection: &Connection) {
        if self.cycle_of(connection).is_empty() {
            return;
        }
        let is_replaying = connection.edge.is_replaying();
        let begun = (connection.leader, connection.node, is_replaying);
        if !self.begun.insert(begun) {
            return;
        }
        let Some(left) = &mut self.left else { return };
        let edge = &connection.edge;
        // If a store cannot be read, its events are not processed now.
        let head = edge.upstream().notification_log().head().unwrap_or(0);
        let behind = head.saturating_sub(edge.next_position().unwrap_or(head));
        *left = left.saturating_add(behind.saturating_mul(ANSWERS));
    }

    /// Counts events that an edge has processed.
    pub(super) fn spend(&mut self, connection: &Connection, events: u64) {
        let cycle = self.cycle_of(connection);
        if events == 0 || cycle.is_empty() {
            return;
        }
        self.cycle = cycle.to_vec();
        self.spent += events;
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(events);
        }
    }

    /// Returns true if the work has to end.
    pub(super) fn is_over(&self) -> bool {
        self.left == Some(0) || self.limits.are_over()
    }

    /// Returns the nodes of the cycle whose events have used up the budget, and the number of
    /// events.
    pub(super) fn exceeded(&self) -> Option<(&[usize], u64)> {
        (self.left == Some(0)).then_some((&self.cycle, self.spent))
    }
}
