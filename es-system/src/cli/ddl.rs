//! `ddl`: the statements that create the tables.

use clap::Args;
use serde::Serialize;

use super::failure::{Failure, Outcome};
use super::opened::Target;
use super::output::{Output, Paint, Report};
use crate::error::Error;

/// The arguments of `ddl`.
#[derive(Debug, Args)]
pub struct Ddl {
    /// The application; all, if none is named
    application: Option<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Statements {
    applications: Vec<OfApplication>,
}

#[derive(Debug, Serialize)]
struct OfApplication {
    application: String,
    statements: String,
}

impl Report for Statements {
    const COMMAND: &'static str = "ddl";

    fn text(&self, _: Paint) -> String {
        let texts = self.applications.iter().map(|one| {
            let OfApplication {
                application,
                statements,
            } = one;
            format!("-- {application}\n{statements}")
        });
        texts.collect::<Vec<_>>().join("\n")
    }
}

impl Ddl {
    pub(super) fn run(&self, target: &Target<'_>) -> Result<Outcome, Failure> {
        let mut applications = Vec::new();
        for node in target.find_all(self.application.as_deref())? {
            let node = &target.nodes()[node];
            let env = target.env.for_application(node.name());
            let statements = es_store::ddl(node.name(), node.store_role(), &env)
                .map_err(|error| Error::store(node.name(), error))?;
            applications.push(OfApplication {
                application: node.name().to_owned(),
                statements,
            });
        }
        self.output.print(&Statements { applications })?;
        Ok(Outcome::Good)
    }
}
