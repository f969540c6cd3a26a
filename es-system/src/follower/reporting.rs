//! The condition of an edge, and its status.

use std::sync::atomic::Ordering;

use crate::error::Error;
use crate::follower::delay::Delay;
use crate::follower::edge::Edge;
use crate::follower::status::{Condition, EdgeStatus};

impl Edge {
    pub(crate) fn condition(&self) -> Condition {
        if let Some(error) = self.processor.stopped() {
            return Condition::Stopped { error };
        }
        let state = self.state();
        if let Some(paused) = &state.paused {
            let (who, when) = (paused.who.clone(), paused.when);
            return Condition::Paused { who, when };
        }
        let names = (self.processor.name(), self.upstream.name());
        let delay = state.delay.as_ref();
        delay.map_or(Condition::Running, |delay| delay.condition(names))
    }

    /// Returns the error of a store that is configured wrongly, once it is to be reported.
    pub(super) fn misconfigured(&self) -> Option<Error> {
        self.state().delay.as_ref()?.misconfigured()
    }

    /// Returns the status of the edge. The position is not read if `can_read` is false.
    pub(super) fn status(&self, can_read: bool) -> EdgeStatus {
        let position = if can_read { self.position().ok() } else { None };
        let waits_at = self
            .state()
            .delay
            .as_ref()
            .and_then(Delay::waits_for)
            .map(|e| e.position);
        let condition = match waits_at {
            // Another program has processed the event, and this edge has not looked again yet.
            Some(at) if position >= Some(at) && self.is_settled() && !self.has_stopped() => {
                Condition::Running
            }
            _ => self.condition(),
        };
        EdgeStatus {
            upstream: self.upstream.name().to_owned(),
            position,
            condition,
            conflicts: self.conflicts.load(Ordering::Relaxed),
        }
    }
}
