//! Projections and their rebuilds stop in front of another history as well.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use es_system::prelude::*;
use tests::PATIENCE;
use tests::domain::{Dog, DogSchool};
use tests::table::TrickTable;

use super::Stores;

fn taught(school: &DogSchool, trick: &str, count: usize) -> Result<()> {
    let mut dog: Dog = school.get_dog("Billy").or_else(|_| {
        let mut dog = Dog::register("Billy");
        school.save(&mut dog).map(|_| dog)
    })?;
    (0..count).for_each(|_| dog.add_trick(trick));
    school.save(&mut dog)?;
    Ok(())
}

fn runner(stores: &Stores) -> Result<SingleThreadedRunner> {
    let system = System::new(pipes![[DogSchool, TrickTable]])?;
    let mut runner = SingleThreadedRunner::new(&system, stores.env())?;
    runner.start()?;
    Ok(runner)
}

/// Replaces the events behind `position`, by the same versions with another content.
fn replace(stores: &Stores, position: u64, count: usize) -> Result<()> {
    stores.cut_back(position);
    let elsewhere = DogSchool::new(stores.env())?;
    taught(&elsewhere, "stay", count)?;
    elsewhere.close();
    Ok(())
}

#[test]
fn a_projection_stops_in_front_of_another_history() -> Result<()> {
    for stores in Stores::all() {
        let runner = runner(&stores)?;
        taught(&*runner.get::<DogSchool>()?, "sit", 12)?;
        runner.wait_until_idle(PATIENCE)?;
        replace(&stores, 8, 9)?;
        let error = runner.wait_until_idle(PATIENCE).expect_err("it stops");
        assert!(matches!(error, Error::LogChanged { .. }), "{error}");
        let table = runner.get::<TrickTable>()?;
        assert_eq!((table.get_count("sit")?, table.get_count("stay")?), (12, 0));
    }
    Ok(())
}

/// A rebuild is interrupted after its first page, and the log is replaced around its position.
#[test]
fn a_rebuild_that_is_taken_up_stops_in_front_of_another_history() -> Result<()> {
    for stores in Stores::all() {
        let first = runner(&stores)?;
        taught(&*first.get::<DogSchool>()?, "sit", 1_500)?;
        first.wait_until_idle(PATIENCE)?;
        let done = Cell::new(0);
        let interrupted = catch_unwind(AssertUnwindSafe(|| {
            first.rebuild::<TrickTable>(|progress| {
                done.set(progress.done);
                assert_eq!(progress.done, 0, "interrupted");
            })
        }));
        assert!(interrupted.is_err());
        drop(first);
        let before = done.get() / 2;
        replace(&stores, before, 1_501 - before as usize)?;
        let system = System::new(pipes![[DogSchool, TrickTable]])?;
        let second = SingleThreadedRunner::new(&system, stores.env())?;
        let error = second.rebuild::<TrickTable>(|_| {}).expect_err("it stops");
        assert!(matches!(error, Error::LogChanged { .. }), "{error}");
        assert!(
            error
                .to_string()
                .contains(&format!("was processed at position {},", done.get())),
            "{error}"
        );
        let table = second.get::<TrickTable>()?;
        assert_eq!(table.get_count("sit")?, 1_500);
    }
    Ok(())
}
