//! `status`: how far each follower is.

mod edge;

use std::io::{self, IsTerminal};
use std::thread;
use std::time::Duration;

use clap::Args;
use es_core::Timestamp;
use serde::Serialize;

use self::edge::EdgeReport;
use super::failure::{Failure, Outcome};
use super::opened::Target;
use super::output::{Output, Paint, Report};
use super::{seconds, table};
use crate::system::node::Opened;

/// The arguments of `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Show it again and again, until the command is interrupted
    #[arg(long)]
    watch: bool,
    /// The time between two looks of `--watch`
    #[arg(long, default_value = "2s", value_parser = seconds::parse, value_name = "TIME")]
    interval: Duration,
    /// The age of the oldest event to process from which a follower counts as behind
    #[arg(long, default_value = "30s", value_parser = seconds::parse, value_name = "AGE")]
    max_age: Duration,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct StatusReport {
    time: Timestamp,
    is_behind: bool,
    edges: Vec<EdgeReport>,
}

impl Report for StatusReport {
    const COMMAND: &'static str = "status";

    fn text(&self, paint: Paint) -> String {
        let head = [
            "FOLLOWER", "UPSTREAM", "POSITION", "HEAD", "LAG", "AGE", "ASIDE", "STATE",
        ];
        let head = head.map(str::to_owned).to_vec();
        let rows = self.edges.iter().map(|edge| edge.row(paint));
        let rows: Vec<_> = [head].into_iter().chain(rows).collect();
        let mut text = table::lines(&rows);
        for edge in &self.edges {
            text.push_str(&edge.remarks());
        }
        text
    }
}

impl Status {
    pub(super) fn run(&self, target: &Target<'_>) -> Result<Outcome, Failure> {
        let mut opened: Vec<_> = (0..target.nodes().len()).map(|_| None).collect();
        loop {
            let report = self.look(target, &mut opened)?;
            if self.watch && io::stdout().is_terminal() && !self.output.is_json() {
                print!("\u{1b}[2J\u{1b}[H");
            }
            self.output.print(&report)?;
            if !self.watch {
                return Ok(Outcome::of(!report.is_behind));
            }
            thread::sleep(self.interval.max(Duration::from_millis(100)));
        }
    }

    /// Looks at each edge. Applications that could not be opened are tried again at each look.
    fn look(
        &self,
        target: &Target<'_>,
        opened: &mut [Option<Opened>],
    ) -> Result<StatusReport, Failure> {
        let mut errors = vec![None; opened.len()];
        for node in 0..opened.len() {
            if opened[node].is_none() {
                match target.read_shared(node) {
                    Ok(found) => opened[node] = Some(found),
                    Err(Failure::Failed(error)) => errors[node] = Some(error),
                    Err(failure) => return Err(failure),
                }
            }
        }
        let names = target.system.nodes();
        let edge = |&(leader, follower): &(usize, usize)| {
            let mut report = EdgeReport::new(names[follower], names[leader]);
            match (&opened[leader], &opened[follower]) {
                (Some(leader), Some(follower)) => report.read(leader, follower, self.max_age),
                _ => report.fail(errors[follower].clone().or(errors[leader].clone())),
            }
            report
        };
        let edges: Vec<_> = target.system.edge_list().iter().map(edge).collect();
        Ok(StatusReport {
            time: Timestamp::now(),
            is_behind: edges.iter().any(|edge| edge.is_behind),
            edges,
        })
    }
}
