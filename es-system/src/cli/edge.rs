//! The edge that a command is about: a follower and one application that it follows.

use clap::Args;

use super::failure::Failure;
use super::names;
use super::opened::Target;
use crate::follower::Follower;
use crate::runner::network::Network;
use crate::system::node::Opened;

/// The arguments that name an edge.
#[derive(Debug, Args)]
pub(super) struct EdgeNames {
    /// The application that follows
    follower: String,
    /// The application that is followed, if the follower follows several
    #[arg(long, value_name = "APPLICATION")]
    upstream: Option<String>,
}

/// An edge by its names.
#[derive(Debug, Clone, Copy)]
pub(super) struct EdgeName {
    pub(super) follower: &'static str,
    pub(super) upstream: &'static str,
    /// The indices of both nodes.
    follower_node: usize,
    upstream_node: usize,
}

impl EdgeNames {
    /// Finds the edge.
    ///
    /// # Errors
    /// Fails with the right names if one is wrong, and if there are several edges to choose from.
    pub(super) fn find(&self, target: &Target<'_>) -> Result<EdgeName, Failure> {
        let edges = self.find_all(target)?;
        match edges.as_slice() {
            [edge] => Ok(*edge),
            edges => {
                let names: Vec<_> = edges.iter().map(|edge| edge.upstream).collect();
                Err(Failure::Usage(format!(
                    "{} follows several applications: name one, `--upstream {}`",
                    edges[0].follower,
                    names.join("|")
                )))
            }
        }
    }

    /// Finds the edge, or all edges of the follower if no upstream is named. There is at least one.
    pub(super) fn find_all(&self, target: &Target<'_>) -> Result<Vec<EdgeName>, Failure> {
        let all: Vec<_> = edges(target).collect();
        let mut followers: Vec<_> = all.iter().map(|edge| edge.follower).collect();
        followers.dedup();
        let follower = followers[names::find(&self.follower, &followers, "follower")?];
        let of_follower = all.into_iter().filter(|edge| edge.follower == follower);
        let of_follower: Vec<_> = of_follower.collect();
        let Some(upstream) = &self.upstream else {
            return Ok(of_follower);
        };
        let upstreams: Vec<_> = of_follower.iter().map(|edge| edge.upstream).collect();
        let kind = format!("upstream of {follower}");
        Ok(vec![of_follower[names::find(upstream, &upstreams, &kind)?]])
    }
}

/// Returns all edges of the system, those of one follower beside each other.
pub(super) fn edges<'a>(target: &'a Target<'_>) -> impl Iterator<Item = EdgeName> + 'a {
    let nodes = target.nodes();
    let edge = |&(leader, follower): &(usize, usize)| EdgeName {
        follower: nodes[follower].name(),
        upstream: nodes[leader].name(),
        follower_node: follower,
        upstream_node: leader,
    };
    let mut edges: Vec<_> = target.system.edge_list().iter().map(edge).collect();
    edges.sort_by_key(|edge| edge.follower_node);
    edges.into_iter()
}

impl EdgeName {
    /// Opens the follower, to read it.
    pub(super) fn read_follower(self, target: &Target<'_>) -> Result<Opened, Failure> {
        target.read_shared(self.follower_node)
    }

    /// Opens the application that is followed, to read it.
    pub(super) fn read_upstream(self, target: &Target<'_>) -> Result<Opened, Failure> {
        target.read_shared(self.upstream_node)
    }

    /// Returns the follower in a network of opened applications.
    pub(super) fn of(self, network: &Network) -> Result<&Follower, Failure> {
        let follower = network.follower_named(self.follower);
        let follower = follower.map(|follower| &**follower);
        follower.ok_or_else(|| Failure::Usage(format!("{} follows nothing", self.follower)))
    }
}
