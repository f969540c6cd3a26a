//! The sources of an error, for a program, and its text, for an operator.

use std::error::Error as _;

use es_system::PolicyFailure;
use es_system::prelude::*;
use es_system::store::StoreError;
use tests::PATIENCE;
use tests::domain::{Dog, DogSchool, DogTrickAdded};

/// The error of a user's own layers.
#[derive(Debug, thiserror::Error)]
#[error("the order was refused")]
struct Refused(#[source] NoStock);

#[derive(Debug, thiserror::Error)]
#[error("no stock")]
struct NoStock(#[source] std::io::Error);

#[process_application]
struct Orders;

#[process_application]
impl Orders {
    #[policy(Dog::TrickAdded)]
    fn order(
        &self,
        _: &DomainEvent<DogTrickAdded>,
        _: &mut ProcessingEvent,
    ) -> Result<(), Refused> {
        let cause = std::io::Error::other("the shelf is out of reach");
        Err(Refused(NoStock(cause)))
    }
}

fn failure_of_a_policy() -> Result<Error> {
    let system = System::new(pipes![[DogSchool, Orders]])?;
    let mut runner = SingleThreadedRunner::new(&system, Env::new())?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    let stopped = runner.wait_until_idle(PATIENCE);
    Ok(stopped.expect_err("the policy fails"))
}

#[test]
fn the_text_of_a_failed_policy_has_every_cause_of_its_error() -> Result<()> {
    let text = failure_of_a_policy()?.to_string();
    let expected = "the order was refused: no stock: the shelf is out of reach";
    assert!(text.ends_with(expected), "{text}");
    assert!(text.contains("at position 2 of `DogSchool`"), "{text}");
    Ok(())
}

#[test]
fn the_source_of_a_failed_policy_is_the_error_that_it_returned() -> Result<()> {
    let error = failure_of_a_policy()?;
    let Error::Policy(failure) = &error else {
        panic!("{error}")
    };
    let failure: &PolicyFailure = failure;
    assert!(failure.error.is::<Refused>());
    let source = error.source().expect("the user's error");
    assert!(source.is::<Refused>());
    let cause = source.source().and_then(|no_stock| no_stock.source());
    assert!(cause.expect("its innermost cause").is::<std::io::Error>());
    Ok(())
}

#[test]
fn the_source_of_a_conflict_is_the_version_that_exists_already() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    school.register_dog("Billy")?;
    let error = school.register_dog("Billy").expect_err("Billy exists");
    let source = error.source().expect("the conflict");
    let conflict = source.downcast_ref::<es_system::store::Conflict>();
    assert_eq!(conflict.map(|conflict| conflict.version), Some(1));
    Ok(())
}

#[test]
fn the_source_of_a_failed_store_is_the_error_of_the_store() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = Env::new()
        .with("PERSISTENCE_MODULE", "sqlite")
        .with("SQLITE_DBNAME", dir.path().display().to_string());
    let error = DogSchool::new(env).expect_err("a folder is no database");
    let source = error.source().expect("the error of the store");
    assert!(source.is::<StoreError>(), "{error:?}");
    Ok(())
}

#[test]
fn the_kind_of_a_closed_application_is_not_that_of_a_store_that_may_recover() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    school.close();
    let error = school.register_dog("Billy").expect_err("it is closed");
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    Ok(())
}
