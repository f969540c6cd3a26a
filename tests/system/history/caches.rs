//! Cached aggregates of a log that was restored are not served.

use es_system::prelude::*;
use tests::PATIENCE;
use tests::domain::{Counters, DogSchool};

use super::{HOT, Stores};

/// An environment whose cache serves what it has without a look at the store.
fn cached(stores: &Stores) -> Env {
    let env = stores.env().with("AGGREGATE_CACHE_MAXSIZE", "10");
    env.with("AGGREGATE_CACHE_FASTFORWARD", "n")
}

/// Restores the log in front of the last five of its 13 events, and has another program write
/// eight.
fn restore(stores: &Stores) -> Result<()> {
    stores.cut_back(8);
    let elsewhere = DogSchool::new(stores.env())?;
    HOT.teach(&elsewhere, "stay", 8)?;
    elsewhere.close();
    Ok(())
}

fn tricks(school: &DogSchool) -> Result<(usize, usize)> {
    let tricks = school.get_dog("Billy")?.tricks.clone();
    let count = |name: &str| tricks.iter().filter(|trick| *trick == name).count();
    Ok((count("sit"), count("stay")))
}

#[test]
fn the_cache_of_an_upstream_is_emptied_when_its_log_is_found_changed() -> Result<()> {
    for stores in Stores::all() {
        let system = System::new(pipes![[DogSchool, Counters]])?;
        let mut runner = SingleThreadedRunner::new(&system, cached(&stores))?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        HOT.teach(&school, "sit", 12)?;
        runner.wait_until_idle(PATIENCE)?;
        restore(&stores)?;
        assert_eq!(tricks(&school)?, (12, 0), "nobody has looked yet");
        let error = runner.wait_until_idle(PATIENCE).expect_err("it stops");
        assert!(matches!(error, Error::LogChanged { .. }), "{error}");
        assert_eq!(tricks(&school)?, (7, 8));
    }
    Ok(())
}

#[test]
fn the_cache_is_emptied_when_the_head_goes_back() -> Result<()> {
    type Look = fn(&DogSchool) -> Result<()>;
    let looks: [Look; 2] = [
        |school| school.notification_log().head().map(drop),
        |school| school.register_dog("Milly").map(drop),
    ];
    for look in looks {
        for stores in Stores::all() {
            let school = DogSchool::new(cached(&stores))?;
            HOT.teach(&school, "sit", 12)?;
            stores.cut_back(8);
            assert_eq!(tricks(&school)?, (12, 0), "nobody has looked yet");
            look(&school)?;
            assert_eq!(tricks(&school)?, (7, 0));
            school.add_trick("Billy", "stay")?;
            assert_eq!(tricks(&school)?, (7, 1));
        }
    }
    Ok(())
}

/// The counters and their position are restored together, and the events behind the position are
/// processed again.
#[test]
fn a_follower_whose_own_store_is_restored_counts_what_it_has_lost_again() -> Result<()> {
    for stores in Stores::all() {
        let system = System::new(pipes![[DogSchool, Counters]])?;
        let mut runner = SingleThreadedRunner::new(&system, cached(&stores))?;
        runner.start()?;
        let (school, counters) = (runner.get::<DogSchool>()?, runner.get::<Counters>()?);
        HOT.teach(&school, "sit", 12)?;
        runner.wait_until_idle(PATIENCE)?;
        let restore = "DELETE FROM {events} WHERE originator_version > 5; \
                       UPDATE {tracking} SET notification_id = 5 WHERE application_name = 'DogSchool'";
        match &stores {
            Stores::Files(dir) => {
                let path = dir.path().join("Counters.sqlite");
                let connection = rusqlite::Connection::open(path).expect("the file is there");
                let sql = restore.replace("{events}", "stored_events");
                let done = connection.execute_batch(&sql.replace("{tracking}", "tracking"));
                done.expect("restored");
            }
            Stores::Database(database) => {
                let sql = restore.replace("{events}", "counters_events");
                let sql = sql.replace("{tracking}", "counters_tracking");
                database.connect().batch_execute(&sql).expect("restored");
            }
        }
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(counters.get_count("sit")?, 12);
    }
    Ok(())
}
