//! `rebuild`: the tables of a projection are made again.

use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::ask::Consent;
use super::failure::{Failure, Outcome};
use super::names;
use super::opened::Target;
use super::output::{Output, Paint, Report};
use super::progress::Bar;
use crate::follower::Follower;

/// The arguments of `rebuild`.
#[derive(Debug, Args)]
pub struct Rebuild {
    /// The projection
    projection: String,
    /// Drop the tables of a rebuild that was interrupted, instead
    #[arg(long)]
    discard: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Rebuilt {
    projection: String,
    /// `rebuilt`, `discarded`, or `nothing` if there was no rebuild to discard.
    done: &'static str,
    /// The number of positions that the new tables have processed.
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
}

impl Report for Rebuilt {
    const COMMAND: &'static str = "rebuild";

    fn text(&self, paint: Paint) -> String {
        let name = &self.projection;
        match (self.done, self.events, self.seconds) {
            ("rebuilt", Some(events), Some(seconds)) => {
                let done = paint.good("rebuilt");
                format!("{name}: {done} from {events} events in {seconds:.1} s\n")
            }
            ("discarded", ..) => format!("{name}: the interrupted rebuild is discarded\n"),
            _ => format!("{name}: there was no rebuild to discard\n"),
        }
    }
}

impl Rebuild {
    pub(super) fn run(&self, target: &Target<'_>) -> Result<Outcome, Failure> {
        let projections = target.projections();
        let name = projections[names::find(&self.projection, &projections, "projection")?];
        let will = if self.discard {
            format!("The tables of an interrupted rebuild of {name} will be dropped.")
        } else {
            format!(
                "The tables of {name} will be rebuilt from all events beside the present ones, which can be read \
                 meanwhile, and then take their place."
            )
        };
        self.consent.ask(&will)?;
        let network = target.network()?;
        let Some(follower) = network.follower_named(name) else {
            let problem = format!("{name} follows no application in this system");
            return Err(Failure::Usage(problem));
        };
        let report = if self.discard {
            discard(follower)?
        } else {
            rebuild(follower)?
        };
        self.output.print(&report)?;
        Ok(Outcome::Good)
    }
}

fn discard(follower: &Follower) -> Result<Rebuilt, Failure> {
    let discarded = follower.discard_rebuild()?;
    Ok(Rebuilt {
        projection: follower.name().to_owned(),
        done: if discarded { "discarded" } else { "nothing" },
        events: None,
        seconds: None,
    })
}

fn rebuild(follower: &Follower) -> Result<Rebuilt, Failure> {
    let bar = Bar::new(follower.name());
    let (began, mut done) = (Instant::now(), 0);
    let rebuilt = follower.rebuild(&mut |progress| {
        done = progress.done;
        bar.begin(progress.total);
        bar.at(progress.done);
    });
    bar.end();
    rebuilt?;
    Ok(Rebuilt {
        projection: follower.name().to_owned(),
        done: "rebuilt",
        events: Some(done),
        seconds: Some(began.elapsed().as_secs_f64()),
    })
}
