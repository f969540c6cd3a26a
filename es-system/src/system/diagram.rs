//! The graph of a system, as text that other programs draw.

use std::fmt;

use crate::system::System;

impl System {
    /// The graph as Mermaid, a node or an edge a line.
    pub fn to_mermaid(&self) -> String {
        let mut out = "graph LR\n".to_owned();
        for (index, name) in self.nodes().iter().enumerate() {
            out += &format!("    n{index}[\"{}\"]\n", name.replace('"', "#quot;"));
        }
        for (leader, follower) in self.edge_list() {
            out += &format!("    n{leader} --> n{follower}\n");
        }
        out
    }

    /// The graph as DOT, for Graphviz.
    pub fn to_dot(&self) -> String {
        let quoted =
            |name: &str| format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
        let mut out = "digraph system {\n    rankdir=LR;\n".to_owned();
        for name in self.nodes() {
            out += &format!("    {};\n", quoted(name));
        }
        for (leader, follower) in self.edges() {
            out += &format!("    {} -> {};\n", quoted(leader), quoted(follower));
        }
        out + "}\n"
    }
}

/// A system prints itself as Mermaid.
impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_mermaid())
    }
}
