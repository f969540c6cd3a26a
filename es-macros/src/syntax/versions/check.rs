//! The rules of versions: one step leads from each version below the current one.

use super::{Step, Upcast, Version, Versions, Written};
use crate::syntax::errors::Errors;

impl Written {
    /// Checks the options. Where their attribute has a mistake, found since `found` mistakes were
    /// there, something was left out, and nothing is said to be missing.
    pub(crate) fn check_after(self, found: usize, errors: &mut Errors) -> Versions {
        if errors.count() > found {
            return Versions::default();
        }
        self.check(errors)
    }

    fn check(self, errors: &mut Errors) -> Versions {
        let Self { version, upcast } = self;
        let Some(version) = version else {
            if let Some(upcast) = upcast {
                report_no_version(&upcast, errors);
            }
            return Versions::default();
        };
        let found = errors.count();
        let mut steps = upcast.map_or_else(Vec::new, |upcast| upcast.steps);
        steps.sort_by_key(|step| step.from);
        check_each_once(&steps, errors);
        check_below(&steps, &version, errors);
        check_complete(&steps, &version, errors);
        if errors.count() > found {
            steps.clear();
        }
        Versions {
            current: version.number,
            key: Some(version.key),
            steps,
        }
    }
}

/// Rule: steps lead to a version.
fn report_no_version(upcast: &Upcast, errors: &mut Errors) {
    let last = upcast.steps.iter().map(|step| step.from).max();
    let version = last.map_or(2, |last| last.saturating_add(1));
    let message =
        format!("`upcast` needs the version that its steps lead to: add `version = {version}`");
    errors.at(upcast.key.span(), message);
}

/// Rule: one step leads from a version.
fn check_each_once(steps: &[Step], errors: &mut Errors) {
    for pair in steps.windows(2) {
        if let [first, second] = pair
            && first.from == second.from
        {
            let message = format!(
                "two steps lead from version {}: write one function that does both, or remove one",
                second.from
            );
            errors.at(second.place, message);
        }
    }
}

/// Rule: a step leads to the current version at most.
fn check_below(steps: &[Step], version: &Version, errors: &mut Errors) {
    for Step { from, place, .. } in steps.iter().filter(|step| step.from >= version.number) {
        let message = format!(
            "a step leads from an older version, and {from} is not below `version = {}`: remove \
             it, or write `version = {}`",
            version.number,
            from.saturating_add(1)
        );
        errors.at(*place, message);
    }
}

/// Rule: what was stored in any older version can be read.
fn check_complete(steps: &[Step], version: &Version, errors: &mut Errors) {
    const SHOWN: usize = 3;
    let has_step = |from: &u64| steps.iter().any(|step| step.from == *from);
    let mut missing = (1..version.number).filter(|from| !has_step(from));
    let shown: Vec<u64> = missing.by_ref().take(SHOWN).collect();
    let Some(first) = shown.first() else {
        return;
    };
    let more = if missing.next().is_some() { ", .." } else { "" };
    let versions = if shown.len() == 1 {
        "version"
    } else {
        "versions"
    };
    let listed = |one: fn(&u64) -> String| shown.iter().map(one).collect::<Vec<_>>().join(", ");
    let message = format!(
        "no step leads on from {versions} {from}{more}: write `upcast({steps}{more})`, where `fn \
         from_{first}(state: &mut impl StoredState)` makes of the fields of version {first} those \
         of version {next}",
        from = listed(u64::to_string),
        steps = listed(|from| format!("{from} => from_{from}")),
        next = first.saturating_add(1),
    );
    errors.at(version.place, message);
}
