//! Followers of damaged logs.

use es_system::prelude::*;
use rusqlite::Connection;
use tests::PATIENCE;
use tests::domain::{Counters, DogSchool};

use super::{Files, billy};

#[test]
fn a_damaged_event_stops_the_follower_that_needs_it_and_nobody_else() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let files = Files::new()?;
        files.damage("UPDATE stored_events SET state = x'00' WHERE rowid = 2");
        let mut runner = R::new(&System::new(pipes![[DogSchool, Counters]])?, files.env())?;
        runner.start()?;
        let error = runner
            .wait_until_idle(PATIENCE)
            .expect_err("the follower stops");
        assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
        assert!(
            error
                .to_string()
                .contains("failed at position 2 of `DogSchool`"),
            "{error}"
        );
        let school = runner.get::<DogSchool>()?;
        school.register_dog("Milly")?;
        assert_eq!(runner.get::<Counters>()?.notification_log().head()?, 0);
        runner.stop()
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

#[test]
fn events_that_no_policy_wants_are_never_decoded() -> Result<()> {
    let files = Files::new()?;
    files.damage(
        "UPDATE stored_events SET state = x'00', topic = 'unknown:Thing.Happened' WHERE rowid = 1",
    );
    let mut runner =
        SingleThreadedRunner::new(&System::new(pipes![[DogSchool, Counters]])?, files.env())?;
    runner.start()?;
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 1);
    Ok(())
}

#[test]
fn a_follower_whose_upstream_is_another_log_than_before_stops() -> Result<()> {
    fn flow<R: Runner>(replace: fn(&Files)) -> Result<String> {
        let files = Files::new()?;
        let system = System::new(pipes![[DogSchool, Counters]])?;
        let mut runner = R::new(&system, files.env())?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        drop(runner);
        replace(&files);
        let mut runner = R::new(&system, files.env())?;
        runner.start()?;
        let error = runner
            .wait_until_idle(PATIENCE)
            .expect_err("the follower stops");
        assert!(matches!(error, Error::LogChanged { .. }), "{error}");
        Ok(error.to_string())
    }
    let shorter = |files: &Files| files.damage("DELETE FROM stored_events WHERE rowid = 2");
    let other = |files: &Files| {
        files.damage("UPDATE stored_events SET originator_id = replace(originator_id, 'e', '0')");
    };
    for error in [
        flow::<SingleThreadedRunner>(shorter)?,
        flow::<MultiThreadedRunner>(shorter)?,
    ] {
        assert!(
            error.contains("it ends at position 1, and position 2 is processed"),
            "{error}"
        );
    }
    for error in [
        flow::<SingleThreadedRunner>(other)?,
        flow::<MultiThreadedRunner>(other)?,
    ] {
        assert!(
            error.contains(&format!("version 2 of aggregate {}", billy())),
            "{error}"
        );
    }
    Ok(())
}

/// Runs a follower on damaged files, until it stops or is idle.
fn follow<R: Runner>(files: &Files) -> Result<(Result<()>, Option<u64>)> {
    let mut runner = R::new(&System::new(pipes![[DogSchool, Counters]])?, files.env())?;
    runner.start()?;
    let outcome = runner.wait_until_idle(PATIENCE);
    Ok((
        outcome,
        runner
            .get::<Counters>()?
            .position_in("DogSchool")
            .unwrap_or(None),
    ))
}

#[test]
fn a_damaged_last_row_that_no_policy_wants_holds_nothing_up() -> Result<()> {
    let files = Files::new()?;
    DogSchool::new(files.env())?.register_dog("Milly")?;
    files.damage("UPDATE stored_events SET originator_id = 'xyz' WHERE rowid = 3");
    let (outcome, position) = follow::<SingleThreadedRunner>(&files)?;
    assert!(
        outcome.is_ok() && position == Some(3),
        "{outcome:?} at {position:?}"
    );
    Ok(())
}

#[test]
fn a_damaged_position_stops_the_follower() -> Result<()> {
    for runner in [
        follow::<SingleThreadedRunner>,
        follow::<MultiThreadedRunner>,
    ] {
        let files = Files::new()?;
        follow::<SingleThreadedRunner>(&files)?.0?;
        let counters =
            Connection::open(files.dir.path().join("Counters.sqlite")).expect("the file is there");
        counters
            .execute_batch("UPDATE tracking SET notification_id = 'nowhere'")
            .expect("a statement");
        let error = runner(&files)?.0.expect_err("no position");
        assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
        assert!(error.to_string().contains("DogSchool"), "{error}");
    }
    Ok(())
}
