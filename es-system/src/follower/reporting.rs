//! The condition of an edge, and its status.

use std::time::Duration;

use es_core::{Timestamp, error_chain};
use es_store::{Followed, Head, Operation};

use crate::error::{Error, Result};
use crate::follower::delay::Delay;
use crate::follower::edge::Edge;
use crate::follower::metrics::EdgeMetrics;
use crate::follower::status::{Condition, EdgeStatus};

/// A policy that has run for longer than it should.
pub(crate) struct SlowPolicy {
    /// The position of the event.
    pub(crate) position: u64,
    pub(crate) elapsed: Duration,
    /// True if it waits for a store now.
    pub(crate) is_in_store: bool,
}

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
        if let Some(overdue) = self.overdue() {
            return overdue;
        }
        let names = (self.processor.name(), self.upstream.name());
        let delay = state.delay.as_ref();
        delay.map_or(Condition::Running, |delay| delay.condition(names))
    }

    /// Returns the number of events that this edge has processed or set aside.
    pub(crate) fn passed(&self) -> u64 {
        self.counters.passed()
    }

    pub(crate) fn metrics(&self) -> EdgeMetrics {
        let upstream = self.upstream.name();
        self.counters.metrics(self.processor.name(), upstream)
    }

    /// Returns the policy that has run for longer than `POLICY_TIMEOUT`, or its default, also where
    /// it is no limit.
    pub(crate) fn slow_policy(&self) -> Option<SlowPolicy> {
        let (position, began) = self.in_hand.event()?;
        let elapsed = began.elapsed();
        let limit = self.follower().policy_timeout().ok()?;
        (elapsed > limit).then(|| SlowPolicy {
            position,
            elapsed,
            is_in_store: self.in_hand().is_none(),
        })
    }

    /// Returns the condition of an edge whose policy runs for longer than it may.
    fn overdue(&self) -> Option<Condition> {
        let (position, began) = self.in_hand.event()?;
        let (elapsed, application) = (began.elapsed(), self.follower());
        let limit = if self.processor.policies.is_projection {
            application.policy_timeout().ok()
        } else {
            application.policy_limit().ok().flatten()
        };
        let is_overdue = limit.is_some_and(|limit| elapsed > limit);
        is_overdue.then_some(Condition::Overdue { position, elapsed })
    }

    /// Returns the error of a store that is configured wrongly, once it is to be reported.
    pub(super) fn misconfigured(&self) -> Option<Error> {
        self.state().delay.as_ref()?.misconfigured()
    }

    /// Returns the status of the edge. The follower's store is not read if `can_read` is false.
    pub(super) fn status(&self, can_read: bool) -> EdgeStatus {
        let found = if can_read { self.look().ok() } else { None };
        let position = found.as_ref().map(|found| found.position.unwrap_or(0));
        let head = self.upstream.head().ok();
        let head_position = head
            .as_ref()
            .map(|head| head.as_ref().map_or(0, |head| head.position));
        let waits_for = self.waits_for(position);
        let condition = match &waits_for {
            // Another program has processed the event, and this edge has not looked again yet.
            Waits::NoMore => Condition::Running,
            _ => self.condition(),
        };
        let failure = match &waits_for {
            Waits::For(topic) => Some(topic),
            _ => None,
        };
        let stopped = found.as_ref().and_then(stop_of);
        let in_hand = self.in_hand.event();
        EdgeStatus {
            upstream: self.upstream.name().to_owned(),
            position,
            head: head_position,
            lag: head_position
                .zip(position)
                .map(|(head, position)| head.saturating_sub(position)),
            age: found
                .as_ref()
                .zip(head)
                .and_then(|(found, head)| self.age(found, head)),
            since: self.since(&condition, stopped),
            attempts: self.attempts(&condition),
            rule: failure.map(|topic| self.processor.work.rule(topic).to_string()),
            last_error: last_error(&condition)
                .or_else(|| stopped.map(|stopped| self.follower().opened(&stopped.detail))),
            condition,
            set_aside: found.as_ref().map(|found| found.waiting.count),
            in_hand: in_hand.map(|(position, began)| (position, began.elapsed())),
            conflicts: self.counters.fenced(),
        }
    }

    fn look(&self) -> Result<Followed> {
        self.follower().followed(self.upstream.name())
    }

    /// Returns the event in front of which the edge waits or has stopped, where the recorded
    /// position is this one.
    fn waits_for(&self, position: Option<u64>) -> Waits {
        if let Some(error) = self.processor.stopped() {
            return match error {
                Error::Policy(failure) => Waits::For(failure.topic.clone()),
                _ => Waits::No,
            };
        }
        let is_settled = self.is_settled();
        let state = self.state();
        match state.delay.as_ref().and_then(Delay::waits_for) {
            Some(event) if position >= Some(event.position) && is_settled => Waits::NoMore,
            Some(event) => Waits::For(event.topic.clone()),
            None => Waits::No,
        }
    }

    /// Returns the age of the oldest event that a policy wants and that is not processed; zero if
    /// there is none, and `None` if it cannot be read.
    fn age(&self, found: &Followed, head: Option<Head>) -> Option<Duration> {
        let from = found.position.unwrap_or(0);
        let Some(head) = head.filter(|head| head.position > from) else {
            return Some(Duration::ZERO);
        };
        let page = self
            .processor
            .page(&self.upstream, from, head.position, 1)
            .ok()?;
        let Some(next) = page.0.notifications.first() else {
            return Some(Duration::ZERO);
        };
        let made = self.upstream.mapper().time_of(&next.event)?;
        Some(Timestamp::now().duration_since(made))
    }

    /// Returns the time since when the condition holds, by this runner and by the record about a
    /// stop.
    fn since(&self, condition: &Condition, stopped: Option<&Operation>) -> Option<Timestamp> {
        match condition {
            Condition::Paused { when, .. } => Some(*when),
            Condition::Stopped { .. } => stopped.map(|stopped| stopped.when),
            Condition::Overdue { elapsed, .. } => {
                let micros = i64::try_from(elapsed.as_micros()).ok()?;
                Timestamp::from_micros(Timestamp::now().as_micros() - micros)
            }
            _ => {
                let since = self.state().delay.as_ref().map(Delay::since);
                since.or(stopped.map(|stopped| stopped.when))
            }
        }
    }

    fn attempts(&self, condition: &Condition) -> u32 {
        match condition {
            Condition::Retrying { attempts, .. }
            | Condition::Waiting { attempts, .. }
            | Condition::Misconfigured { attempts, .. } => *attempts,
            Condition::Stopped { .. } => self.state().front.map_or(1, |front| front.attempts),
            Condition::WaitingForNewer { .. } => 1,
            Condition::Running
            | Condition::NotRunning
            | Condition::Overdue { .. }
            | Condition::Paused { .. } => 0,
        }
    }
}

/// The event in front of which an edge waits.
enum Waits {
    /// None.
    No,
    /// One of this topic.
    For(String),
    /// One that was processed by another program.
    NoMore,
}

/// Returns the stop that is recorded last, if the follower has not passed the event since.
fn stop_of(found: &Followed) -> Option<&Operation> {
    let stopped = found.stopped.as_ref()?;
    let is_passed = stopped.position.is_some() && found.position >= stopped.position;
    (!is_passed).then_some(stopped)
}

fn last_error(condition: &Condition) -> Option<String> {
    match condition {
        Condition::Retrying { error, .. }
        | Condition::Waiting { error, .. }
        | Condition::WaitingForNewer { error, .. }
        | Condition::Misconfigured { error, .. }
        | Condition::Stopped { error } => Some(error_chain(error).to_string()),
        Condition::Running
        | Condition::NotRunning
        | Condition::Overdue { .. }
        | Condition::Paused { .. } => None,
    }
}
