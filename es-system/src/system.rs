//! Systems: applications, and the edges along which they follow each other.

pub(crate) mod node;
mod upstreams;

use std::fmt;

use crate::error::{Error, Result};
use es_store::Role;

use crate::system::node::{Node, Pipes};

/// Applications connected by pipes, independent of their stores and of the runner.
///
/// In the pipe `[A, B, C]`, `B` follows `A` and `C` follows `B`. Nodes and edges keep the order of
/// their definition; duplicates count once. The idea comes from the `System` of the Python library
/// `eventsourcing`.
#[derive(Debug, Clone)]
pub struct System {
    nodes: Vec<Node>,
    edges: Vec<(usize, usize)>,
}

impl System {
    /// Creates a system, for example of `pipes![[A, B], [B, C]]`.
    ///
    /// # Errors
    /// Fails if two applications have one name, or if a name is empty or reserved (it begins with
    /// `__`). If all upstreams of a follower list the aggregates that they save
    /// (`#[application(aggregates(Dog))]`), it fails if a policy follows an aggregate that none of
    /// them lists.
    pub fn new(pipes: Pipes) -> Result<Self> {
        let mut system = Self {
            nodes: Vec::new(),
            edges: Vec::new(),
        };
        for pipe in pipes.into_vec() {
            let mut upstream = None;
            for node in pipe {
                let index = system.add_node(node)?;
                if let Some(upstream) = upstream
                    && !system.edges.contains(&(upstream, index))
                {
                    system.edges.push((upstream, index));
                }
                upstream = Some(index);
            }
        }
        system.check_upstreams()?;
        Ok(system)
    }

    /// Returns the names of the applications, in the order of definition.
    pub fn nodes(&self) -> Vec<&str> {
        self.nodes.iter().map(Node::name).collect()
    }

    /// Returns the pairs of an application and a follower of it, in the order of definition.
    pub fn edges(&self) -> Vec<(&str, &str)> {
        let name = |index: usize| self.nodes[index].name();
        self.edges
            .iter()
            .map(|&(leader, follower)| (name(leader), name(follower)))
            .collect()
    }

    pub(crate) fn node_list(&self) -> &[Node] {
        &self.nodes
    }

    pub(crate) fn edge_list(&self) -> &[(usize, usize)] {
        &self.edges
    }

    fn check_upstreams(&self) -> Result<()> {
        for (index, follower) in self.nodes.iter().enumerate() {
            let edges = self.edges.iter().filter(|(_, to)| *to == index);
            let upstreams: Vec<_> = edges.map(|(from, _)| &self.nodes[*from]).collect();
            upstreams::check(follower, &upstreams)?;
        }
        Ok(())
    }

    /// Adds a node, or finds it. A node that leads in one pipe and follows in another is a
    /// follower.
    fn add_node(&mut self, node: Node) -> Result<usize> {
        if node.name().is_empty() || node.name().starts_with("__") {
            return Err(self.misnamed(&node, "is reserved: choose another with `name = \"…\"`"));
        }
        let Some(index) = self
            .nodes
            .iter()
            .position(|known| known.name() == node.name())
        else {
            self.nodes.push(node);
            return Ok(self.nodes.len() - 1);
        };
        if !self.nodes[index].is_same(&node) {
            return Err(self.misnamed(
                &node,
                "belongs to two applications: tables and tracking are named after it, so give one of them another \
                 with `name = \"…\"`",
            ));
        }
        if node.role() == Role::Follower {
            self.nodes[index] = node;
        }
        Ok(index)
    }

    fn misnamed(&self, node: &Node, problem: &str) -> Error {
        Error::configuration(
            "the system",
            format!("the name `{}` {problem}", node.name()),
        )
    }
}

/// Prints the graph as Mermaid, with one node or edge on each line.
impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("graph LR\n")?;
        for (index, name) in self.nodes().iter().enumerate() {
            writeln!(f, "    n{index}[\"{}\"]", name.replace('"', "#quot;"))?;
        }
        for (upstream, follower) in &self.edges {
            writeln!(f, "    n{upstream} --> n{follower}")?;
        }
        Ok(())
    }
}
