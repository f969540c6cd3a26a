//! The health of a runner, for the probes of an orchestrator.
//!
//! The reaction of an orchestrator decides what belongs to an answer. A process that is not live
//! is ended and started again, so only what that may mend makes it so. One that is not ready gets
//! no requests. A failed event is mended by neither: the next process would stand in front of the
//! same one.

use std::fmt;
use std::time::Duration;

use es_core::error_chain;
use es_store::Remedy;

use crate::application::Application;
use crate::error::Error;
use crate::follower::edge::Edge;
use crate::follower::status::Condition;
use crate::runner::network::Network;
use crate::runner::store_reads::Answer;

/// The health of a runner and of its followers, for the probes of an orchestrator. Each list has
/// the reasons as texts for a person, and is empty if all is well. Printed, it has a line for each
/// reason.
///
/// A follower that has stopped in front of an event is among the `problems`, and the process stays
/// live and ready: to start it again would change nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The reasons why the process should be started again: the thread of a follower has ended, or
    /// a policy hangs. A policy hangs if it has run for longer than `POLICY_TIMEOUT`, which is 60
    /// seconds if it is not set, and waits for no store.
    pub not_live: Vec<String>,
    /// The reasons why the process cannot serve: the runner was not started or is stopped, or the
    /// store of an application cannot be read.
    pub not_ready: Vec<String>,
    /// All other problems, which need an operator or time: a follower has stopped, is paused, waits
    /// or is behind because of failures, or has set events aside.
    pub problems: Vec<String>,
}

impl Health {
    /// Returns true if a restart of the process would mend nothing.
    pub fn is_live(&self) -> bool {
        self.not_live.is_empty()
    }

    /// Returns true if the process can serve.
    pub fn is_ready(&self) -> bool {
        self.not_ready.is_empty()
    }

    /// Returns true if the process is live and ready, and there is no other problem.
    pub fn is_well(&self) -> bool {
        self.is_live() && self.is_ready() && self.problems.is_empty()
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_well() {
            return f.write_str("well");
        }
        let kinds = [
            ("not live", &self.not_live),
            ("not ready", &self.not_ready),
            ("problem", &self.problems),
        ];
        let mut separator = "";
        for (kind, reasons) in kinds {
            for reason in reasons {
                write!(f, "{separator}{kind}: {reason}")?;
                separator = "\n";
            }
        }
        Ok(())
    }
}

/// The state of a runner itself.
pub struct Vitals {
    pub(crate) phase: Phase,
    /// The followers whose threads have ended although the runner runs.
    pub(crate) ended: Vec<String>,
    /// The error of applications that answer each other without end.
    pub(crate) endless: Option<Error>,
}

/// The phase in the life of a runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    New,
    Running,
    Stopped,
}

impl Phase {
    pub(super) fn of(started: bool, stopped: bool) -> Self {
        match (started, stopped) {
            (_, true) => Self::Stopped,
            (true, false) => Self::Running,
            (false, false) => Self::New,
        }
    }
}

impl Network {
    /// Returns the health of a runner. Its stores are waited for until `limit` is over.
    pub(super) fn health(&self, vitals: Vitals, limit: Duration) -> Health {
        let mut health = Health::default();
        let ended = vitals.ended.iter();
        health
            .not_live
            .extend(ended.map(|name| format!("the thread of {name} has ended")));
        health.not_ready.extend(match vitals.phase {
            Phase::New => Some("the runner was not started".to_owned()),
            Phase::Running => None,
            Phase::Stopped => Some("the runner was stopped".to_owned()),
        });
        health
            .problems
            .extend(vitals.endless.map(|error| error.to_string()));
        for connection in self.edges() {
            health.add_edge(&connection.edge);
        }
        for (application, answer) in self.store_reads.ask(|| self.stores(), limit) {
            health.add_store(&application, answer);
        }
        health
    }

    /// Returns each application, with the names of those that it follows.
    fn stores(&self) -> Vec<(Application, Vec<String>)> {
        let store = |(node, application): (usize, &Application)| {
            let edges = self.edges().iter().filter(|edge| edge.node == node);
            let upstreams = edges.map(|edge| edge.edge.upstream().name().to_owned());
            (application.clone(), upstreams.collect())
        };
        self.applications().enumerate().map(store).collect()
    }
}

impl Health {
    fn add_edge(&mut self, edge: &Edge) {
        if let Some(slow) = edge.slow_policy() {
            let (follower, upstream) = (edge.follower().name(), edge.upstream().name());
            let (position, elapsed) = (slow.position, slow.elapsed);
            let policy = format!(
                "{follower}: the policy for position {position} of {upstream} has run for {elapsed:.1?}"
            );
            if slow.is_in_store {
                self.problems
                    .push(format!("{policy}, and waits for a store"));
            } else {
                self.not_live.push(policy);
            }
        }
        // A follower has stopped on all its edges, with one error.
        let problem = problem_of(edge).filter(|problem| !self.problems.contains(problem));
        self.problems.extend(problem);
    }

    fn add_store(&mut self, application: &str, answer: Answer) {
        match answer {
            Answer::Read(counts) => {
                let counts = counts.into_iter().filter(|one| one.count > 0);
                self.problems.extend(counts.map(|one| {
                    let (count, upstream) = (one.count, one.upstream);
                    format!("{application}: {count} events of {upstream} are set aside")
                }));
            }
            Answer::Failed(error) => {
                let error = error_chain(&error);
                self.not_ready.push(format!(
                    "the store of {application} cannot be read: {error}"
                ));
            }
            Answer::Silent(time) => self.not_ready.push(format!(
                "the store of {application} has not answered for {time:.1?}"
            )),
        }
    }
}

/// Returns the problem of an edge, by its condition. Other writers that were first are none, and a
/// policy that runs for too long is told by itself.
fn problem_of(edge: &Edge) -> Option<String> {
    let (follower, upstream) = (edge.follower().name(), edge.upstream().name());
    match edge.condition() {
        Condition::Running | Condition::NotRunning | Condition::Overdue { .. } => None,
        Condition::Retrying { error, .. } if error.remedy() == Remedy::RetryNow => None,
        Condition::Retrying { error, attempts } => Some(format!(
            "{follower} could not process events of {upstream} in {attempts} attempts: {error}"
        )),
        Condition::Misconfigured { error, .. } => Some(format!(
            "{follower} cannot process events of {upstream}: {error}"
        )),
        Condition::Waiting { error, .. } => Some(format!("{follower} waits: {error}")),
        Condition::WaitingForNewer { error, .. } => {
            Some(format!("{follower} waits for a newer program: {error}"))
        }
        Condition::Paused { who, .. } => {
            Some(format!("{follower} is paused in {upstream} by {who}"))
        }
        Condition::Stopped { error } => Some(format!("{follower} has stopped: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_printed_with_a_line_for_each_reason() {
        let mut health = Health::default();
        assert_eq!(health.to_string(), "well");
        health
            .not_ready
            .push("the runner was not started".to_owned());
        health.problems.push("Shop is paused".to_owned());
        assert!(health.is_live() && !health.is_ready() && !health.is_well());
        let lines = "not ready: the runner was not started\nproblem: Shop is paused";
        assert_eq!(health.to_string(), lines);
    }
}
