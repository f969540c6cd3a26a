//! The check of the stores: that each can be opened, what it finds itself, and that their servers
//! have enough connections.

use std::collections::BTreeMap;

use es_store::{Connections, Verdict};

use super::Finding;
use crate::cli::opened::{NOT_IN_MEMORY, Target, is_in_memory};
use crate::error::{Error, ErrorKind, Result};
use crate::system::node::Opened;

/// Opens each application.
pub(super) fn open(target: &Target<'_>, findings: &mut Vec<Finding>) -> Vec<Option<Opened>> {
    let mut all = Vec::new();
    for (index, node) in target.nodes().iter().enumerate() {
        let opened = target.read(index);
        let verdict = match &opened {
            Err(error) => cannot_open(error, node.name()),
            Ok(opened) if is_in_memory(opened.application.env()) => Verdict::problem(
                "its store is in memory, so nothing is kept, and no other program sees it",
                NOT_IN_MEMORY,
            ),
            Ok(opened) => match read_settings(opened) {
                Ok(()) => {
                    Verdict::ok("it can be opened, and its tables have the format of this program")
                }
                Err(error) => Verdict::problem(error.to_string(), "set the key that is named"),
            },
        };
        findings.push(Finding::new(node.name(), "store", verdict));
        all.push(opened.ok());
    }
    all
}

/// Reads the settings that are otherwise read only when a runner starts.
fn read_settings(opened: &Opened) -> Result<()> {
    opened.application.poll_interval()?;
    opened.application.policy_timeout()?;
    crate::runner::limits::cycle_events(opened.application.env())?;
    Ok(())
}

/// Describes an application that cannot be opened.
fn cannot_open(error: &Error, name: &str) -> Verdict {
    let text = error.to_string();
    let problem = text.strip_prefix(&format!("{name}: ")).unwrap_or(&text);
    let repair = match error.kind() {
        _ if problem.contains("this command creates nothing") => format!(
            "start a program of the system once, which creates what is missing, or run the statements of `ddl {name}`"
        ),
        ErrorKind::Store => {
            "start the server, or set the keys of its address (POSTGRES_HOST, POSTGRES_PORT)"
                .to_owned()
        }
        _ => "mend what the error names".to_owned(),
    };
    Verdict::problem(problem, repair)
}

/// Has each store examine itself.
pub(super) fn examine(opened: &[Option<Opened>], findings: &mut Vec<Finding>) {
    let mut servers: BTreeMap<String, Vec<Connections>> = BTreeMap::new();
    for opened in opened.iter().flatten() {
        let name = opened.application.name();
        let Ok(recorder) = opened.application.recorder() else {
            continue;
        };
        let checkup = recorder.checkup();
        let found = checkup.findings.into_iter();
        findings.extend(found.map(|one| Finding::new(name, one.check, one.verdict)));
        if let Some(connections) = checkup.connections {
            let server = servers.entry(connections.server.clone());
            server.or_default().push(connections);
        }
    }
    let servers = servers.into_iter();
    findings.extend(servers.map(|(server, all)| {
        let verdict = enough(&all);
        Finding::new(format!("server {server}"), "connections", verdict)
    }));
}

/// Compares the connections that all applications on one server need with those it allows.
fn enough(all: &[Connections]) -> Verdict {
    let sum = |of: fn(&Connections) -> u32| all.iter().map(of).fold(0, u32::saturating_add);
    let (least, most) = (sum(|one| one.least), sum(|one| one.most));
    let allowed = all.iter().map(|one| one.allowed).min().unwrap_or(0);
    let found = format!(
        "one process of this system needs {least} connections and may open {most}, and {allowed} are allowed"
    );
    if least <= allowed {
        return Verdict::ok(found);
    }
    Verdict::problem(
        found,
        "raise max_connections, or the CONNECTION LIMIT of the role or the database",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_applications_of_a_server_share_its_connections() {
        let needs = |allowed| Connections::new("db:5432", 3, 33, allowed);
        assert!(matches!(enough(&[needs(6), needs(6)]), Verdict::Ok(_)));
        assert!(matches!(
            enough(&[needs(100), needs(5)]),
            Verdict::Problem { problem, .. }
                if problem == "one process of this system needs 6 connections and may open 66, and 5 are allowed"
        ));
    }
}
