//! The nodes and edges of a system.

use es_system::prelude::*;
use tests::domain::{Counters, Dog, DogSchool, DogTrickAdded};

#[process_application]
struct Second;

#[process_application]
impl Second {
    #[policy(Dog::TrickAdded)]
    fn ignore(&self, _: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }
}

#[application]
struct Single;

#[application(name = "DogSchool")]
struct Impostor;

#[application(name = "__secret")]
struct Reserved;

#[test]
fn nodes_and_edges_keep_the_order_of_definition_and_duplicates_are_dropped() -> Result<()> {
    let system = System::new(pipes![
        [DogSchool, Counters],
        [DogSchool, Second, Counters],
        [DogSchool, Counters],
        [Single]
    ])?;
    assert_eq!(
        system.nodes(),
        ["DogSchool", "Counters", "Second", "Single"]
    );
    assert_eq!(
        system.edges(),
        [
            ("DogSchool", "Counters"),
            ("DogSchool", "Second"),
            ("Second", "Counters")
        ]
    );
    Ok(())
}

#[test]
fn an_application_may_lead_in_one_pipe_and_follow_in_another() -> Result<()> {
    let system = System::new(pipes![[Second, Counters], [DogSchool, Second]])?;
    assert_eq!(
        system.edges(),
        [("Second", "Counters"), ("DogSchool", "Second")]
    );
    assert_eq!(system.nodes(), ["Second", "Counters", "DogSchool"]);
    Ok(())
}

#[test]
fn an_application_may_follow_itself() -> Result<()> {
    let system = System::new(pipes![[Second, Second]])?;
    assert_eq!(system.edges(), [("Second", "Second")]);
    Ok(())
}

#[test]
fn a_system_without_pipes_is_empty() -> Result<()> {
    let system = System::new(pipes![])?;
    assert!(system.nodes().is_empty());
    assert!(system.edges().is_empty());
    Ok(())
}

#[test]
fn two_applications_of_one_name_are_an_error() {
    let error = System::new(pipes![[DogSchool, Counters], [Impostor]]).expect_err("one name twice");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(
        error
            .to_string()
            .contains("`DogSchool` belongs to two applications"),
        "{error}"
    );
}

#[test]
fn a_reserved_name_is_an_error() {
    let error = System::new(pipes![[Reserved]]).expect_err("a reserved name");
    assert!(
        error.to_string().contains("`__secret` is reserved"),
        "{error}"
    );
}

#[test]
fn a_system_prints_itself_as_mermaid() -> Result<()> {
    let system = System::new(pipes![[DogSchool, Counters], [DogSchool, Second]])?;
    assert_eq!(
        system.to_string(),
        "graph LR\n    n0[\"DogSchool\"]\n    n1[\"Counters\"]\n    n2[\"Second\"]\n    \
         n0 --> n1\n    n0 --> n2\n"
    );
    Ok(())
}
