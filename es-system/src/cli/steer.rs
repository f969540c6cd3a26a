//! `skip`, `start-at`, `pause` and `resume`: a follower is steered by its record.

use clap::Args;
use es_core::Timestamp;
use es_store::{Operation, OperationKind, Recording};
use serde::Serialize;

use super::ask::Consent;
use super::edge::{EdgeName, EdgeNames};
use super::failure::{Failure, Outcome};
use super::opened::Target;
use super::output::{Output, Paint, Report};
use super::who::Who;
use crate::runner::network::Network;

/// The arguments of `skip`.
#[derive(Debug, Args)]
pub struct Skip {
    #[command(flatten)]
    edge: EdgeNames,
    /// The position of the event, in front of which the follower stands
    position: u64,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    output: Output,
}

/// The arguments of `start-at`.
#[derive(Debug, Args)]
pub struct StartAt {
    #[command(flatten)]
    edge: EdgeNames,
    /// The position of the first event that is processed next
    position: u64,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    output: Output,
}

/// The arguments of `pause` and `resume`.
#[derive(Debug, Args)]
pub struct Standing {
    #[command(flatten)]
    edge: EdgeNames,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Skipped {
    follower: String,
    upstream: String,
    position: u64,
}

#[derive(Debug, Serialize)]
struct Started {
    follower: String,
    upstream: String,
    position: u64,
}

#[derive(Debug, Serialize)]
struct Paused {
    edges: Vec<Steered>,
}

#[derive(Debug, Serialize)]
struct Resumed {
    edges: Vec<Steered>,
}

/// An edge that was paused or resumed.
#[derive(Debug, Serialize)]
struct Steered {
    follower: String,
    upstream: String,
}

impl Report for Skipped {
    const COMMAND: &'static str = "skip";

    fn text(&self, _: Paint) -> String {
        let Self {
            follower,
            upstream,
            position,
        } = self;
        format!("{follower} <- {upstream}: the event at position {position} is skipped\n")
    }
}

impl Report for Started {
    const COMMAND: &'static str = "start-at";

    fn text(&self, _: Paint) -> String {
        let Self {
            follower,
            upstream,
            position,
        } = self;
        format!("{follower} <- {upstream}: it goes on with position {position}\n")
    }
}

impl Report for Paused {
    const COMMAND: &'static str = "pause";

    fn text(&self, paint: Paint) -> String {
        lines(&self.edges, &paint.doubtful("paused"))
    }
}

impl Report for Resumed {
    const COMMAND: &'static str = "resume";

    fn text(&self, paint: Paint) -> String {
        lines(&self.edges, &paint.good("resumed"))
    }
}

fn lines(edges: &[Steered], done: &str) -> String {
    let line = |edge: &Steered| format!("{} <- {}: {done}\n", edge.follower, edge.upstream);
    edges.iter().map(line).collect()
}

impl Skip {
    pub(super) fn run(&self, target: &Target<'_>) -> Result<Outcome, Failure> {
        let (edge, position) = (self.edge.find(target)?, self.position);
        self.consent.ask(&format!(
            "{} will pass over the event at position {position} of {} for ever, without its policy.",
            edge.follower, edge.upstream
        ))?;
        let network = target.network()?;
        let follower = edge.of(&network)?;
        follower.skip(edge.upstream, position, &self.who.name())?;
        self.output.print(&Skipped {
            follower: edge.follower.to_owned(),
            upstream: edge.upstream.to_owned(),
            position,
        })?;
        Ok(Outcome::Good)
    }
}

impl StartAt {
    pub(super) fn run(&self, target: &Target<'_>) -> Result<Outcome, Failure> {
        let (edge, position) = (self.edge.find(target)?, self.position);
        self.consent.ask(&format!(
            "{} will pass over all events of {} in front of position {position} for ever, without its policies.",
            edge.follower, edge.upstream
        ))?;
        let network = target.network()?;
        let follower = edge.of(&network)?;
        follower.start_at(edge.upstream, position, &self.who.name())?;
        self.output.print(&Started {
            follower: edge.follower.to_owned(),
            upstream: edge.upstream.to_owned(),
            position,
        })?;
        Ok(Outcome::Good)
    }
}

impl Standing {
    pub(super) fn pause(&self, target: &Target<'_>) -> Result<Outcome, Failure> {
        let will = "will process no events, in no process, until it is resumed";
        let edges = self.record(target, OperationKind::Paused, will)?;
        self.output.print(&Paused { edges })?;
        Ok(Outcome::Good)
    }

    pub(super) fn resume(&self, target: &Target<'_>) -> Result<Outcome, Failure> {
        let will = "will go on, in all processes that run it";
        let edges = self.record(target, OperationKind::Resumed, will)?;
        self.output.print(&Resumed { edges })?;
        Ok(Outcome::Good)
    }

    /// Asks, and records an operation for each edge.
    fn record(
        &self,
        target: &Target<'_>,
        kind: OperationKind,
        will: &str,
    ) -> Result<Vec<Steered>, Failure> {
        let edges = self.edge.find_all(target)?;
        let upstreams: Vec<_> = edges.iter().map(|edge| edge.upstream).collect();
        let (follower, upstreams) = (edges[0].follower, upstreams.join(", "));
        self.consent
            .ask(&format!("{follower}, which follows {upstreams}, {will}."))?;
        let network = target.network()?;
        for edge in &edges {
            record(&network, *edge, kind, &self.who.name())?;
        }
        let steered = edges.iter().map(|edge| Steered {
            follower: edge.follower.to_owned(),
            upstream: edge.upstream.to_owned(),
        });
        Ok(steered.collect())
    }
}

/// Records an operation, at which all processes look that run the follower.
fn record(
    network: &Network,
    edge: EdgeName,
    kind: OperationKind,
    who: &str,
) -> Result<(), Failure> {
    let operation = Operation::new(kind, edge.upstream, who, Timestamp::now());
    let application = edge.of(network)?.application();
    application.record(&Recording::default().operation(operation))?;
    Ok(())
}
