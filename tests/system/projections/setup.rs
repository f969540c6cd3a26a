//! The opening of projections, and the errors where it is impossible.

use es_system::prelude::*;
use tests::domain::DogSchool;
use tests::journal::Journal;
use tests::table::TrickTable;
use tests::{PATIENCE, files};

use super::{journal_system, taught};

#[test]
fn memory_has_no_tables_and_the_error_names_the_key_and_what_can_be_done() {
    for env in [
        Env::new(),
        Env::new().with("PERSISTENCE_MODULE", "eventsourcing.popo"),
    ] {
        let error = Journal::new(env.clone()).expect_err("memory has no tables");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        for part in [
            "Journal: ",
            "JOURNAL_PERSISTENCE_MODULE",
            "sqlite",
            ":memory:",
        ] {
            assert!(error.to_string().contains(part), "{error}");
        }
        let system = journal_system().expect("a system");
        let error = SingleThreadedRunner::new(&system, env)
            .err()
            .expect("refused");
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
}

#[test]
fn the_upstream_may_be_on_a_store_of_another_kind() -> Result<()> {
    let env = Env::new()
        .with("JOURNAL_PERSISTENCE_MODULE", "sqlite")
        .with("JOURNAL_SQLITE_DBNAME", ":memory:");
    let mut runner = SingleThreadedRunner::new(&journal_system()?, env)?;
    runner.start()?;
    taught(&*runner.get::<DogSchool>()?, &["sit"])?;
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(runner.get::<Journal>()?.positions()?, [2]);
    Ok(())
}

#[test]
fn tables_are_made_once_whoever_comes_first() -> Result<()> {
    let mut places = vec![tests::postgres()];
    places.push(None);
    for place in places {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let env = place
            .as_ref()
            .map_or_else(|| files(dir.path()), |place| place.env.clone());
        std::thread::scope(|scope| {
            let open = || TrickTable::new(env.clone())?.get_count("sit");
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().expect("no panic").map(|_| ()))
        })?;
    }
    Ok(())
}

#[test]
fn with_create_table_off_tables_that_were_never_made_are_an_error() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    DogSchool::new(files(dir.path()))?;
    let env = files(dir.path()).with("CREATE_TABLE", "n");
    assert!(Journal::new(env.clone()).is_err(), "there is no file");
    Journal::new(files(dir.path()))?;
    assert_eq!(Journal::new(env)?.positions()?, Vec::<u64>::new());
    Ok(())
}

#[projection]
pub struct Greedy;

#[projection]
impl Greedy {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {} (a TEXT)",
            tx.table("tracking")
        );
        tx.execute(&sql, &[])?;
        Ok(())
    }

    #[policy(tests::domain::Dog::TrickAdded)]
    fn nothing(
        &self,
        _event: &DomainEvent<tests::domain::DogTrickAdded>,
        _tx: &mut Transaction<'_>,
    ) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_table_of_the_librarys_own_is_not_the_projections() {
    let env = Env::new()
        .with("PERSISTENCE_MODULE", "sqlite")
        .with("SQLITE_DBNAME", ":memory:");
    let error = Greedy::new(env).expect_err("it is refused");
    assert!(
        error.to_string().contains("cannot be called `tracking`"),
        "{error}"
    );
}
