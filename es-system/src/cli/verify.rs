//! `verify`: the order of logs, and the positions of followers.

mod log_check;
mod versions;

use clap::Args;
use serde::Serialize;

use self::log_check::{LogCheck, LogReport};
use super::failure::{Failure, Outcome};
use super::opened::Target;
use super::output::{Output, Paint, Report};
use super::progress::Bar;
use crate::error::Error;
use crate::follower::history;
use crate::system::node::Opened;

/// The arguments of `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// The application whose log and positions are verified; all, if none is named
    application: Option<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Verified {
    is_good: bool,
    logs: Vec<LogReport>,
    edges: Vec<EdgeReport>,
}

/// The position of a follower in an upstream.
#[derive(Debug, Serialize)]
struct EdgeReport {
    follower: String,
    upstream: String,
    position: Option<u64>,
    /// The difference between the upstream's log and the one that was followed, or the reason why
    /// they cannot be compared.
    problem: Option<String>,
}

impl Report for Verified {
    const COMMAND: &'static str = "verify";

    fn text(&self, paint: Paint) -> String {
        let logs = self.logs.iter().map(|log| log.text(paint));
        let edges = self.edges.iter().map(|edge| edge.text(paint));
        logs.chain(edges).collect()
    }
}

impl EdgeReport {
    fn text(&self, paint: Paint) -> String {
        let Self {
            follower, upstream, ..
        } = self;
        match &self.problem {
            Some(problem) => {
                format!(
                    "{follower} <- {upstream}: {}: {problem}\n",
                    paint.bad("problem")
                )
            }
            None => {
                let position = self.position.unwrap_or(0);
                let ok = paint.good("ok");
                format!(
                    "{follower} <- {upstream}: {ok}: position {position} has the event that was processed\n"
                )
            }
        }
    }
}

impl Verify {
    pub(super) fn run(&self, target: &Target<'_>) -> Result<Outcome, Failure> {
        let nodes = target.find_all(self.application.as_deref())?;
        let mut logs = Vec::new();
        for &node in &nodes {
            let opened = target.read_shared(node)?;
            let bar = Bar::new(opened.application.name());
            let check = LogCheck::new(&opened.application, target.aggregates(node));
            logs.push(check.run(&bar)?);
        }
        let mut edges = Vec::new();
        for &(leader, follower) in target.system.edge_list() {
            if nodes.contains(&follower) {
                let (leader, follower) =
                    (target.read_shared(leader)?, target.read_shared(follower)?);
                edges.push(verify_edge(&leader, &follower)?);
            }
        }
        let is_good =
            logs.iter().all(LogReport::is_good) && edges.iter().all(|edge| edge.problem.is_none());
        self.output.print(&Verified {
            is_good,
            logs,
            edges,
        })?;
        Ok(Outcome::of(is_good))
    }
}

fn verify_edge(leader: &Opened, follower: &Opened) -> Result<EdgeReport, Failure> {
    let (leader, follower) = (&leader.application, &follower.application);
    let problem = match history::verify(follower, leader) {
        Ok(()) => None,
        Err(Error::LogChanged { problem, .. }) => Some(problem),
        Err(error) => return Err(error.into()),
    };
    Ok(EdgeReport {
        follower: follower.name().to_owned(),
        upstream: leader.name().to_owned(),
        position: follower.position_in(leader.name())?,
        problem,
    })
}
