//! `failures`: the events that followers have set aside.

mod list;
mod retry;
mod row;

use clap::Subcommand;

use super::failure::{Failure, Outcome};
use super::opened::Target;

/// The commands about events that are set aside.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Failures {
    /// Lists the events that are set aside, in the order of their positions
    List(list::List),
    /// Shows one event, with its error
    Show(list::Show),
    /// Tries events again: those of one aggregate in order, each once
    Retry(retry::Retry),
    /// Gives up one event for ever; the next one of its aggregate is tried
    Discard(retry::Discard),
}

impl Failures {
    pub(super) fn run(&self, target: &Target<'_>) -> Result<Outcome, Failure> {
        match self {
            Self::List(command) => command.run(target),
            Self::Show(command) => command.run(target),
            Self::Retry(command) => command.run(target),
            Self::Discard(command) => command.run(target),
        }
    }
}
