//! A configuration that prevents a follower from working: it is told as such, tried again with
//! growing pauses, and once it is right the follower goes on by itself.

use es_system::ApplicationType as _;
use es_system::testing::postgres::database;
use tests::domain::{Counters, DogSchool};
use tests::table::TrickTable;

use super::*;

fn teach(school: &DogSchool, dog: &str) -> Result<()> {
    school.register_dog(dog)?;
    school.add_trick(dog, "sit")
}

/// Breaks the database after the start, waits until that is told, and mends it.
fn flow<R: Runner>(breaks: &str, mends: &str, code: &str) -> Result<()> {
    let Some(database) = database() else {
        return Ok(());
    };
    let role = format!("es_follower_{}", Uuid::new_v4().simple());
    let env = database
        .env()
        .with("COUNTERS_POSTGRES_USER", &role)
        .with("COUNTERS_POSTGRES_PASSWORD", "none");
    let sql = |text: &str| run(&database, &text.replace("{}", &role));
    sql("CREATE ROLE {} LOGIN PASSWORD 'none'");
    Counters::new(database.env())?.close();
    sql(
        "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {}; \
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}",
    );
    let mut runner = R::new(&System::new(pipes![[DogSchool, Counters]])?, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    teach(&school, "Billy")?;
    runner.wait_until_idle(PATIENCE)?;
    sql(breaks);
    teach(&school, "Milly")?;
    wait_until("it is told", &runner, || {
        matches!(
            condition(&runner),
            Condition::Misconfigured { attempts: 3.., .. }
        )
    });
    let error = runner
        .watch_for_errors(PATIENCE)
        .expect_err("three attempts");
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    assert!(error.to_string().contains(code), "{error}");
    assert!(error.to_string().starts_with("Counters: "), "{error}");
    sql(mends);
    wait_until("it goes on", &runner, || {
        matches!(condition(&runner), Condition::Running)
    });
    runner.wait_until_idle(PATIENCE)?;
    runner.watch_for_errors(Duration::ZERO)?;
    assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 2);
    runner.stop()?;
    drop(runner);
    sql("DROP OWNED BY {}; DROP ROLE {}");
    Ok(())
}

fn both(breaks: &str, mends: &str, code: &str) -> Result<()> {
    flow::<MultiThreadedRunner>(breaks, mends, code)?;
    flow::<SingleThreadedRunner>(breaks, mends, code)
}

#[test]
fn a_missing_privilege_is_told_and_granted() -> Result<()> {
    both(
        "REVOKE INSERT ON counters_events FROM {}",
        "GRANT INSERT ON counters_events TO {}",
        "42501",
    )
}

#[test]
fn a_missing_table_is_told_and_given_back() -> Result<()> {
    both(
        "ALTER TABLE counters_tracking RENAME TO elsewhere",
        "ALTER TABLE elsewhere RENAME TO counters_tracking",
        "42P01",
    )
}

#[test]
fn a_missing_column_is_told_and_given_back() -> Result<()> {
    both(
        "ALTER TABLE counters_events RENAME topic TO kind",
        "ALTER TABLE counters_events RENAME kind TO topic",
        "42703",
    )
}

#[test]
fn the_position_of_a_projection_that_may_not_be_moved_is_told_and_granted() -> Result<()> {
    let Some(database) = database() else {
        return Ok(());
    };
    let system = System::new(pipes![[DogSchool, TrickTable]])?;
    let mut runner = MultiThreadedRunner::new(&system, database.env())?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    teach(&school, "Billy")?;
    runner.wait_until_idle(PATIENCE)?;
    let tracking = format!("{}_tracking", TrickTable::NAME.to_lowercase());
    run(
        &database,
        &format!("ALTER TABLE {tracking} RENAME TO elsewhere"),
    );
    teach(&school, "Milly")?;
    wait_until("it is told", &runner, || {
        matches!(
            condition(&runner),
            Condition::Misconfigured { attempts: 3.., .. }
        )
    });
    run(
        &database,
        &format!("ALTER TABLE elsewhere RENAME TO {tracking}"),
    );
    wait_until("it goes on", &runner, || {
        matches!(condition(&runner), Condition::Running)
    });
    runner.wait_until_idle(PATIENCE)?;
    runner.stop()
}
