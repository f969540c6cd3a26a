//! `doctor`: an examination of settings, stores and followers.

mod finding;
mod followers;
mod logs;
mod settings;
mod stores;

use clap::Args;
use serde::Serialize;

use self::finding::Finding;
use super::failure::{Failure, Outcome};
use super::opened::Target;
use super::output::{Output, Paint, Report};
use crate::system::node::Opened;

/// The arguments of `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Leave out what reads whole logs
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Diagnosis {
    is_good: bool,
    findings: Vec<Finding>,
}

impl Report for Diagnosis {
    const COMMAND: &'static str = "doctor";

    fn text(&self, paint: Paint) -> String {
        self.findings.iter().map(|one| one.text(paint)).collect()
    }
}

impl Doctor {
    pub(super) fn run(&self, target: &Target<'_>) -> Result<Outcome, Failure> {
        let mut findings = settings::check(target);
        let opened = stores::open(target, &mut findings);
        stores::examine(&opened, &mut findings);
        let is_shared: Vec<_> = opened.into_iter().map(keep_shared).collect();
        followers::check(target, &is_shared, &mut findings);
        if !self.quick {
            logs::check(target, &is_shared, &mut findings);
        }
        let is_good = !findings.iter().any(Finding::is_problem);
        self.output.print(&Diagnosis { is_good, findings })?;
        Ok(Outcome::of(is_good))
    }
}

/// Returns an application unless its store is in memory, where there is nothing to look at.
fn keep_shared(opened: Option<Opened>) -> Option<Opened> {
    opened.filter(|one| !super::opened::is_in_memory(one.application.env()))
}
