//! `doctor`: faults are planted, and each is found with its repair.

mod postgres;
mod sqlite;

use serde_json::Value;

use crate::tool::{Place, assert_shape, places};

/// A fault, and the finding that tells about it.
struct Fault {
    name: &'static str,
    plant: fn(&mut Place),
    subject: &'static str,
    check: &'static str,
    /// Parts of the problem and of its repair.
    problem: &'static str,
    repair: &'static str,
}

#[test]
fn a_system_that_is_well_has_no_problem() {
    for place in places() {
        place.fill();
        let ran = place.run(&["doctor", "--json"]);
        assert_eq!(ran.code, 0, "{}: {}{}", place.name, ran.out, ran.err);
        assert_shape(&format!("doctor_{}", place.name), &hidden(&place, &ran.out));
    }
}

/// Returns the output without what differs from machine to machine.
fn hidden(place: &Place, out: &str) -> String {
    let server = place.env.get("POSTGRES_HOST").unwrap_or("FOLDER");
    let port = place.env.get("POSTGRES_PORT").unwrap_or("PORT");
    let user = place.env.get("POSTGRES_USER").unwrap_or("USER");
    out.replace(&format!("{server}:{port}"), "SERVER")
        .replace(&format!("`{user}`"), "`USER`")
        .replace(&place.folder.path().display().to_string(), "FOLDER")
}

/// Plants a fault. Returns what the examination finds, if that is not the fault with its repair.
fn missed(place: &mut Place, fault: &Fault) -> Option<String> {
    (fault.plant)(place);
    let ran = place.run(&["doctor", "--json"]);
    let found = findings(&ran.out).into_iter().any(|finding| {
        let text = |field: &str| finding[field].as_str().unwrap_or_default().to_owned();
        text("result") == "problem"
            && text("subject") == fault.subject
            && text("check") == fault.check
            && text("found").contains(fault.problem)
            && text("repair").contains(fault.repair)
    });
    let problems = findings(&ran.out).into_iter();
    let problems: Vec<_> = problems.filter(|one| one["result"] != "ok").collect();
    let (name, code) = (fault.name, ran.code);
    (!found || code != 1).then(|| format!("{name}: {code}: {problems:#?}\n"))
}

fn findings(out: &str) -> Vec<Value> {
    let diagnosis: Value = serde_json::from_str(out).expect("it is JSON");
    let findings = diagnosis["findings"].as_array().expect("a list");
    findings.clone()
}
