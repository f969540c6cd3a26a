//! `failures retry` and `failures discard`.

use clap::Args;
use serde::Serialize;

use crate::cli::ask::Consent;
use crate::cli::edge::EdgeNames;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::opened::Target;
use crate::cli::output::{Output, Paint, Report};
use crate::cli::who::Who;

/// The arguments of `failures retry`.
#[derive(Debug, Args)]
pub struct Retry {
    #[command(flatten)]
    edge: EdgeNames,
    /// The position of an event whose aggregate's events are tried; all events, if none is given
    position: Option<u64>,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    output: Output,
}

/// The arguments of `failures discard`.
#[derive(Debug, Args)]
pub struct Discard {
    #[command(flatten)]
    edge: EdgeNames,
    /// The position of the event
    position: u64,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Retried {
    follower: String,
    upstream: String,
    /// The number of events that were processed.
    processed: u64,
    failed: Vec<Failed>,
}

/// An event that has failed again.
#[derive(Debug, Serialize)]
struct Failed {
    position: u64,
    error: String,
}

#[derive(Debug, Serialize)]
struct Discarded {
    follower: String,
    upstream: String,
    position: u64,
}

impl Report for Retried {
    const COMMAND: &'static str = "failures retry";

    fn text(&self, paint: Paint) -> String {
        let Self {
            follower, upstream, ..
        } = self;
        let done = format!(
            "{follower} <- {upstream}: {} events processed\n",
            self.processed
        );
        let failed = self.failed.iter().map(|failed| {
            let Failed { position, error } = failed;
            let again = paint.bad("failed again");
            format!("{follower} <- {upstream}: position {position} {again}: {error}\n")
        });
        done + &failed.collect::<String>()
    }
}

impl Report for Discarded {
    const COMMAND: &'static str = "failures discard";

    fn text(&self, _: Paint) -> String {
        let Self {
            follower,
            upstream,
            position,
        } = self;
        format!("{follower} <- {upstream}: the event at position {position} is discarded\n")
    }
}

impl Retry {
    pub(super) fn run(&self, target: &Target<'_>) -> Result<Outcome, Failure> {
        let edge = self.edge.find(target)?;
        let events = match self.position {
            Some(position) => {
                format!("the event at position {position}, with those of its aggregate,")
            }
            None => "all events".to_owned(),
        };
        self.consent.ask(&format!(
            "The policies of {} will be tried again here for {events} of {} that are set aside.",
            edge.follower, edge.upstream
        ))?;
        let network = target.network()?;
        let follower = edge.of(&network)?;
        let outcome = follower.retry(edge.upstream, self.position, &self.who.name())?;
        let failed = outcome.failed.into_iter().map(|(position, error)| Failed {
            position,
            error: error.to_string(),
        });
        let report = Retried {
            follower: edge.follower.to_owned(),
            upstream: edge.upstream.to_owned(),
            processed: outcome.done,
            failed: failed.collect(),
        };
        self.output.print(&report)?;
        Ok(Outcome::of(report.failed.is_empty()))
    }
}

impl Discard {
    pub(super) fn run(&self, target: &Target<'_>) -> Result<Outcome, Failure> {
        let (edge, position) = (self.edge.find(target)?, self.position);
        self.consent.ask(&format!(
            "The event at position {position} of {} will be given up for ever: {} will never process it.",
            edge.upstream, edge.follower
        ))?;
        let network = target.network()?;
        let follower = edge.of(&network)?;
        follower.discard(edge.upstream, position, &self.who.name())?;
        self.output.print(&Discarded {
            follower: edge.follower.to_owned(),
            upstream: edge.upstream.to_owned(),
            position,
        })?;
        Ok(Outcome::Good)
    }
}
