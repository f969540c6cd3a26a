//! Failures that only the commit finds, and transactions that are not committed.

use es_system::prelude::*;
use tests::PATIENCE;
use tests::domain::DogSchool;

use super::{sql_places, taught};

/// The control: a handler that writes outside of the transaction.
#[projection]
pub struct Outside;

thread_local! {
    static OUTSIDE: std::cell::RefCell<Vec<u64>> = const { std::cell::RefCell::new(Vec::new()) };
}

#[projection]
impl Outside {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        tx.execute(
            &format!("CREATE TABLE {} (a TEXT)", tx.table("unused")),
            &[],
        )?;
        Ok(())
    }

    #[policy(tests::domain::Dog::TrickAdded)]
    fn note(
        &self,
        event: &DomainEvent<tests::domain::DogTrickAdded>,
        _tx: &mut Transaction<'_>,
    ) -> Result<()> {
        OUTSIDE.with_borrow_mut(|written| written.push(event.notification_id));
        match &*event.trick {
            "fail" => Err(Error::Usage("the handler fails".to_owned())),
            _ => Ok(()),
        }
    }
}

#[test]
fn the_control_that_writes_outside_of_the_transaction_doubles_what_came_before_a_failure()
-> Result<()> {
    let env = Env::new()
        .with("OUTSIDE_PERSISTENCE_MODULE", "sqlite")
        .with("OUTSIDE_SQLITE_DBNAME", ":memory:");
    let system = System::new(pipes![[DogSchool, Outside]])?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    taught(&*runner.get::<DogSchool>()?, &["sit", "sit", "fail"])?;
    runner.start()?;
    assert!(runner.watch_for_errors(Duration::ZERO).is_err());
    // The batch runs first, then the events before the failing one in a transaction of their own,
    // and then the failing one alone.
    assert_eq!(OUTSIDE.take(), [2, 3, 4, 2, 3, 4]);
    Ok(())
}

/// A projection whose table has a constraint that is checked at the commit.
#[projection]
pub struct Families;

#[projection]
impl Families {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let parents = tx.table("parents");
        let children = tx.table("children");
        tx.execute(
            &format!("CREATE TABLE {parents} (id BIGINT PRIMARY KEY)"),
            &[],
        )?;
        let of = format!("REFERENCES {parents} (id) DEFERRABLE INITIALLY DEFERRED");
        tx.execute(
            &format!("CREATE TABLE {children} (parent BIGINT {of})"),
            &[],
        )?;
        Ok(())
    }

    #[policy(tests::domain::Dog::TrickAdded)]
    fn add(
        &self,
        event: &DomainEvent<tests::domain::DogTrickAdded>,
        tx: &mut Transaction<'_>,
    ) -> Result<()> {
        let id = event.notification_id;
        let sql = format!("INSERT INTO {} VALUES ($1)", tx.table("children"));
        tx.execute(&sql, &[&id])?;
        if event.trick != "orphan" {
            let sql = format!("INSERT INTO {} VALUES ($1)", tx.table("parents"));
            tx.execute(&sql, &[&id])?;
        }
        Ok(())
    }
}

#[test]
fn a_constraint_that_the_commit_finds_broken_is_the_failure_of_the_event_that_broke_it()
-> Result<()> {
    for place in sql_places() {
        let env = match place.name {
            "postgres" => place.env.clone(),
            _ => Env::new()
                .with("FAMILIES_PERSISTENCE_MODULE", "sqlite")
                .with("FAMILIES_SQLITE_DBNAME", ":memory:"),
        };
        let system = System::new(pipes![[DogSchool, Families]])?;
        let mut runner = SingleThreadedRunner::new(&system, env)?;
        let school = runner.get::<DogSchool>()?;
        taught(&school, &["sit", "sit", "orphan", "sit", "sit"])?;
        runner.start()?;
        let error = runner.wait_until_idle(PATIENCE).expect_err("it stops");
        assert!(
            error.to_string().contains("at position 4 of `DogSchool`"),
            "{error}"
        );
        let families = runner.get::<Families>()?;
        let children = families.read(|tx| Ok(tx.query("SELECT * FROM children", &[])?.len()))?;
        assert_eq!(children, 2);
        // A rebuild fails in the same way.
        assert!(runner.rebuild::<Families>(|_| {}).is_err());
        assert!(runner.discard_rebuild::<Families>()?);
    }
    Ok(())
}
