//! The limits of the work that a runner does on the thread of its caller.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use es_store::Env;

use crate::error::{Error, Result};
use crate::runner::network::Connection;

/// The time for which a command retries a batch that the store refuses. After it, the next pull
/// retries the batch.
const COMMAND_RETRY_LIMIT: Duration = Duration::from_secs(1);

/// The key of the maximum number of events in cycles.
const CYCLE_EVENTS: &str = "CYCLE_EVENTS_MAX";

/// The number of further events that are processed in a cycle for each event that was there before
/// the work began.
const ANSWERS: u64 = 10;

/// Returns the maximum number of events in cycles that one call processes; 0 is no limit.
pub(super) fn cycle_events(env: &Env) -> Result<u64> {
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
    /// The number of events in cycles that are left; `None` is no limit.
    left: Option<u64>,
    spent: u64,
    /// The edges in cycles whose events of before were counted, as pairs of nodes.
    begun: HashSet<(usize, usize)>,
    /// The nodes of the cycle in which the last event was processed.
    cycle: Vec<usize>,
}

impl Budget {
    /// Creates the budget of work that may process `events` events in cycles; 0 is no limit.
    pub(super) fn new(events: u64, limits: Limits) -> Self {
        Self {
            limits,
            left: (events > 0).then_some(events),
            spent: 0,
            begun: HashSet::new(),
            cycle: Vec::new(),
        }
    }

    /// Adds what the events allow that an edge of a cycle has not processed yet.
    pub(super) fn begin(&mut self, connection: &Connection) {
        let Some(left) = &mut self.left else { return };
        if connection.cycle.is_empty() || !self.begun.insert((connection.leader, connection.node)) {
            return;
        }
        let edge = &connection.edge;
        // If a store cannot be read, its events are not processed now.
        let head = edge.upstream().notification_log().head().unwrap_or(0);
        let behind = head.saturating_sub(edge.position().unwrap_or(head));
        *left = left.saturating_add(behind.saturating_mul(ANSWERS));
    }

    /// Counts events that an edge has processed.
    pub(super) fn spend(&mut self, connection: &Connection, events: u64) {
        if events == 0 || connection.cycle.is_empty() {
            return;
        }
        self.spent += events;
        self.cycle.clone_from(&connection.cycle);
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
