//! What the attributes accept, and what they say about everything else: each file under `ui` is one mistake,
//! its name says which, and the `.stderr` beside it is what the user reads.
//!
//! `TRYBUILD=overwrite cargo test -p tests --test ui` writes the messages anew, to be read critically.

#[test]
fn correct_code_compiles_and_every_mistake_has_its_message() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    for attribute in [
        "aggregate",
        "event",
        "id",
        "application",
        "process_application",
        "policy",
        "projection",
        "pipes",
    ] {
        cases.compile_fail(format!("ui/{attribute}/*.rs"));
    }
}
