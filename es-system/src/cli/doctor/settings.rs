//! The check of the environment.

use es_store::Verdict;

use super::Finding;
use crate::cli::opened::Target;

/// Looks for keys that nothing reads, because one letter is wrong.
pub(super) fn check(target: &Target<'_>) -> Vec<Finding> {
    let names = target.system.nodes();
    let mut problems = Vec::new();
    for (found, meant) in target.env.misspelled_applications(&names) {
        problems.push((found.to_owned(), meant));
    }
    for name in names {
        for (found, meant) in target.env.for_application(name).misspelled() {
            let meant = with_prefix_of(found, name, meant);
            if !problems.iter().any(|(known, _)| known == found) {
                problems.push((found.to_owned(), meant));
            }
        }
    }
    if problems.is_empty() {
        let found = "no key is misspelled";
        return vec![Finding::new("environment", "settings", Verdict::ok(found))];
    }
    let finding = |(found, meant): (String, String)| {
        let problem = format!("{found} is set, and nothing reads it");
        let repair = format!("rename it to {meant}, if that is meant");
        Finding::new("environment", "settings", Verdict::problem(problem, repair))
    };
    problems.into_iter().map(finding).collect()
}

/// Returns the key that is meant, with the name of the application in front if `found` has it.
fn with_prefix_of(found: &str, application: &str, meant: &str) -> String {
    let prefix = format!("{}_", application.to_uppercase());
    if found.starts_with(&prefix) {
        prefix + meant
    } else {
        meant.to_owned()
    }
}
