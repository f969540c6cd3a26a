//! Projections: tables of the user's, changed exactly once for each event, under every runner and
//! on every SQL store.

mod commit;
mod failing;
mod following;
mod kept;
mod lost;
mod rebuilding;
mod setup;
mod statements;
mod stopping;
mod values;
mod waiting;

use es_system::prelude::*;
use tests::domain::{Counters, Dog, DogSchool};
use tests::journal::Journal;
use tests::table::TrickTable;
use tests::{PATIENCE, Place, places};

/// Returns each SQL store, empty.
fn sql_places() -> impl Iterator<Item = Place> {
    places()
        .into_iter()
        .filter(|place| !place.name.starts_with("memory"))
}

/// Saves a dog that has learned these tricks, in one save each.
fn taught(school: &DogSchool, tricks: &[&str]) -> Result<()> {
    if !school.contains(Dog::create_id("Billy"))? {
        school.register_dog("Billy")?;
    }
    tricks
        .iter()
        .try_for_each(|trick| school.add_trick("Billy", trick))
}

/// Waits for a condition.
fn until(what: &str, mut is_met: impl FnMut() -> bool) {
    let since = std::time::Instant::now();
    while !is_met() {
        assert!(since.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

fn journal_system() -> Result<System> {
    System::new(pipes![[DogSchool, Journal]])
}

#[test]
fn a_table_has_what_the_handlers_have_written_under_every_runner_on_every_sql_store() -> Result<()>
{
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        let system = System::new(pipes![[DogSchool, TrickTable]])?;
        let mut runner = R::new(&system, place.env.clone())?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        let table = runner.get::<TrickTable>()?;
        taught(&school, &["sit", "roll over", "sit"])?;
        runner.wait_until_idle(PATIENCE)?;
        let expected = [("sit".to_owned(), 2), ("roll over".to_owned(), 1)];
        assert_eq!(table.counts()?, expected, "{}", place.name);
        assert_eq!(table.get_count("fly")?, 0);
        assert_eq!(table.position_in("DogSchool")?, Some(4));
        assert_eq!(runner.status()[0].edges[0].position, Some(4));
        runner.stop()
    }
    sql_places().try_for_each(|place| flow::<SingleThreadedRunner>(&place))?;
    sql_places().try_for_each(|place| flow::<MultiThreadedRunner>(&place))
}

#[test]
fn a_projection_that_is_opened_again_goes_on_where_it_was() -> Result<()> {
    for place in sql_places().filter(|place| matches!(place.name, "sqlite file" | "postgres")) {
        for round in 1..=3 {
            let mut runner = MultiThreadedRunner::new(&journal_system()?, place.env.clone())?;
            taught(&*runner.get::<DogSchool>()?, &["sit", "sit"])?;
            runner.start()?;
            runner.wait_until_idle(PATIENCE)?;
            let expected: Vec<u64> = (2..2 + 2 * round).collect();
            assert_eq!(runner.get::<Journal>()?.positions()?, expected);
            runner.stop()?;
        }
        let reopened = Journal::new(place.env.clone())?;
        assert_eq!(reopened.positions()?.len(), 6);
    }
    Ok(())
}

#[test]
fn a_projection_and_a_process_application_follow_one_leader() -> Result<()> {
    for place in sql_places() {
        let pipes = pipes![[DogSchool, Counters], [DogSchool, TrickTable]];
        let mut runner = MultiThreadedRunner::new(&System::new(pipes)?, place.env.clone())?;
        runner.start()?;
        taught(&*runner.get::<DogSchool>()?, &["sit", "sit", "sit"])?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 3);
        assert_eq!(runner.get::<TrickTable>()?.get_count("sit")?, 3);
        runner.stop()?;
    }
    Ok(())
}

#[test]
fn a_backlog_is_processed_in_few_transactions_and_every_event_once() -> Result<()> {
    for place in sql_places() {
        let mut runner = SingleThreadedRunner::new(&journal_system()?, place.env.clone())?;
        let school = runner.get::<DogSchool>()?;
        let mut dog = Dog::register("Billy");
        (0..2_500).for_each(|_| dog.add_trick("sit"));
        school.save(&mut dog)?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        let journal = runner.get::<Journal>()?;
        assert_eq!(
            journal.positions()?,
            (2..=2_501).collect::<Vec<u64>>(),
            "{}",
            place.name
        );
    }
    Ok(())
}

#[test]
fn two_live_instances_of_one_projection_process_each_event_once() -> Result<()> {
    for place in sql_places().filter(|place| matches!(place.name, "sqlite file" | "postgres")) {
        let start = || -> Result<MultiThreadedRunner> {
            let mut runner = MultiThreadedRunner::new(&journal_system()?, place.env.clone())?;
            runner.start()?;
            Ok(runner)
        };
        let mut one = start()?;
        let mut two = start()?;
        let school = one.get::<DogSchool>()?;
        taught(&school, &["sit"; 100])?;
        one.wait_until_idle(PATIENCE)?;
        two.wait_until_idle(PATIENCE)?;
        let positions = one.get::<Journal>()?.positions()?;
        assert_eq!(positions, (2..=101).collect::<Vec<u64>>(), "{}", place.name);
        one.stop()?;
        two.stop()?;
    }
    Ok(())
}
