//! Settings that a handler of a projection makes on the connection, which others use after it.

use std::sync::Mutex;

use tests::domain::{Dog, DogTrickAdded};

use super::*;

/// Executes each trick as a statement.
#[projection]
struct Statements;

/// The settings that the handler found, in the order of the events.
static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[projection]
impl Statements {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let table = tx.table("ran");
        tx.execute(&format!("CREATE TABLE {table} (statement TEXT)"), &[])?;
        Ok(())
    }

    #[policy(Dog::TrickAdded)]
    fn execute(&self, event: &DomainEvent<DogTrickAdded>, tx: &mut Transaction<'_>) -> Result<()> {
        if event.trick == "look" {
            let sql = "SELECT current_setting('work_mem') || current_setting('statement_timeout') \
                       || current_setting('search_path') AS found";
            let row = tx.query_first(sql, &[])?.expect("a row");
            FOUND.lock().expect("no panic").push(row.get("found")?);
        } else {
            tx.query(&event.trick, &[])?;
        }
        let table = tx.table("ran");
        tx.execute(&format!("INSERT INTO {table} VALUES ($1)"), &[&event.trick])?;
        Ok(())
    }
}

impl Statements {
    fn count(&self) -> Result<i64> {
        self.read(|tx| {
            let table = tx.table("ran");
            let row = tx.query_first(&format!("SELECT count(*) AS n FROM {table}"), &[])?;
            Ok(row.expect("a row").get("n")?)
        })
    }
}

#[test]
fn a_set_of_a_handler_ends_with_its_transaction() -> Result<()> {
    let Some(database) = database() else {
        return Ok(());
    };
    let system = System::new(pipes![[DogSchool, Statements]])?;
    let mut runner = SingleThreadedRunner::new(&system, database.env())?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    for trick in [
        "look",
        "SET work_mem = '77MB'",
        "SELECT set_config('work_mem', '77MB', false)",
        "SET statement_timeout = 1234567",
        "SET search_path = nowhere",
        "SET LOCAL work_mem = '77MB'",
        "DEALLOCATE ALL",
    ] {
        school.add_trick("Billy", trick)?;
        school.add_trick("Billy", "look")?;
    }
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(runner.get::<Statements>()?.count()?, 14);
    let found = std::mem::take(&mut *FOUND.lock().expect("no panic"));
    assert_eq!(found.len(), 8, "{found:?}");
    assert!(found.iter().all(|one| *one == found[0]), "{found:?}");
    runner.stop()
}

#[test]
fn a_pragma_that_would_outlive_its_transaction_is_refused() -> Result<()> {
    for pragma in [
        "PRAGMA query_only = 1",
        "PRAGMA busy_timeout = 0",
        "pragma locking_mode = exclusive",
        "PRAGMA max_page_count(1)",
        "ATTACH ':memory:' AS other",
    ] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let system = System::new(pipes![[DogSchool, Statements]])?;
        let file = |name: &str| dir.path().join(name).display().to_string();
        let env = Env::new()
            .with("PERSISTENCE_MODULE", "sqlite")
            .with("DOGSCHOOL_SQLITE_DBNAME", file("school"))
            .with("STATEMENTS_SQLITE_DBNAME", file("statements"));
        let mut runner = SingleThreadedRunner::new(&system, env)?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        school.register_dog("Billy")?;
        school.add_trick("Billy", "PRAGMA table_info(ran)")?;
        school.add_trick("Billy", "PRAGMA user_version = 7")?;
        runner.wait_until_idle(PATIENCE)?;
        school.add_trick("Billy", pragma)?;
        let error = runner.wait_until_idle(PATIENCE).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
        assert!(error.to_string().contains("not authorized"), "{error}");
        let statements = runner.get::<Statements>()?;
        assert_eq!(statements.count()?, 2);
        let read = statements.read(|tx| Ok::<_, Error>(tx.query(pragma, &[])?.len()));
        assert!(read.is_err(), "{pragma}");
        assert_eq!(statements.count()?, 2);
        runner.stop()?;
    }
    Ok(())
}
