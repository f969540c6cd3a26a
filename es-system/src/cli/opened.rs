//! Opens the applications of a system for a command, without starting anything.

use es_store::Env;

use super::failure::Failure;
use super::names;
use crate::application::saved_aggregate::SavedAggregate;
use crate::error::{Error, Result};
use crate::runner::network::Network;
use crate::system::System;
use crate::system::node::{Node, Opened};

/// The system that a command works on.
pub(super) struct Target<'a> {
    pub(super) system: &'a System,
    pub(super) env: &'a Env,
}

impl Target<'_> {
    pub(super) fn nodes(&self) -> &[Node] {
        self.system.node_list()
    }

    /// Returns the index of the application `name`.
    pub(super) fn find(&self, name: &str) -> Result<usize, Failure> {
        names::find(name, &self.system.nodes(), "application")
    }

    /// Returns the indices of the application `name`, or of all applications.
    pub(super) fn find_all(&self, name: Option<&str>) -> Result<Vec<usize>, Failure> {
        match name {
            Some(name) => Ok(vec![self.find(name)?]),
            None => Ok((0..self.nodes().len()).collect()),
        }
    }

    /// Returns the names of the projections.
    pub(super) fn projections(&self) -> Vec<&'static str> {
        let nodes = self.nodes().iter().filter(|node| node.is_projection());
        nodes.map(Node::name).collect()
    }

    /// Opens an application to read it. No table is created.
    pub(super) fn read(&self, node: usize) -> Result<Opened> {
        let opened = self.nodes()[node].open(self.env_for_reading());
        opened.map_err(explain)
    }

    /// Opens an application to read it, and fails if its store is in memory.
    pub(super) fn read_shared(&self, node: usize) -> Result<Opened, Failure> {
        let opened = self.read(node)?;
        refuse_memory(&opened)?;
        Ok(opened)
    }

    /// Opens all applications, to change something.
    pub(super) fn network(&self) -> Result<Network, Failure> {
        let network = Network::open(self.system, self.env)?;
        Ok(network)
    }

    /// Returns the environment in which nothing is created.
    fn env_for_reading(&self) -> Env {
        const KEY: &str = "CREATE_TABLE";
        let nodes = self.nodes().iter();
        let keys = nodes.map(|node| format!("{}_{KEY}", node.name().to_uppercase()));
        keys.chain([KEY.to_owned()])
            .fold(self.env.clone(), |env, key| env.with(key, "n"))
    }

    /// Returns the types of aggregates whose events the log of `node` may have, as far as the
    /// system knows them: those that the application lists, and those that its followers have
    /// policies for.
    pub(super) fn aggregates(&self, node: usize) -> Vec<SavedAggregate> {
        let saved = self.nodes()[node].saved().unwrap_or_default();
        let mut known = saved.to_vec();
        let edges = self.system.edge_list().iter();
        for (_, follower) in edges.filter(|(leader, _)| *leader == node) {
            for event in self.nodes()[*follower].followed() {
                if !known.contains(&event.aggregate) {
                    known.push(event.aggregate);
                }
            }
        }
        known
    }
}

/// Returns true if a store is in memory, where no other program sees it.
pub(super) fn is_in_memory(env: &Env) -> bool {
    let module = env.get("PERSISTENCE_MODULE").unwrap_or("memory");
    env.store().is_none() && matches!(module, "memory" | "eventsourcing.popo")
}

/// The advice about a store in memory.
pub(super) const NOT_IN_MEMORY: &str =
    "set PERSISTENCE_MODULE to `postgres` or `sqlite`, as the programs of the system have it";

fn refuse_memory(opened: &Opened) -> Result<(), Failure> {
    if !is_in_memory(opened.application.env()) {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "{}: its store is in memory, where this command sees nothing of other programs: {NOT_IN_MEMORY}",
        opened.application.name()
    )))
}

/// Adds to an error about missing tables that this command has not created them.
fn explain(error: Error) -> Error {
    match error {
        Error::Configuration {
            application,
            problem,
            cause,
        } if problem.contains("CREATE_TABLE is off") => {
            let problem = problem.replace("CREATE_TABLE is off", "this command creates nothing");
            Error::Configuration {
                application,
                problem,
                cause,
            }
        }
        error => error,
    }
}
