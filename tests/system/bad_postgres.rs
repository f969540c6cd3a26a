//! Faults in a PostgreSQL database, as an application reports them.

use es_system::prelude::*;
use es_system::testing::postgres::{Database, database};
use tests::PATIENCE;
use tests::domain::{Counters, Dog, DogSchool};

use crate::sealed::zlib_and_aes;

/// A school in which Billy can sit.
fn school(env: Env) -> Result<DogSchool> {
    let school = DogSchool::new(env)?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    Ok(school)
}

fn run(database: &Database, sql: &str) {
    let mut raw = database.connect();
    raw.batch_execute(sql).expect("the statement is right");
}

#[test]
fn a_database_that_cannot_be_opened_names_the_application_and_the_key() {
    let Some(database) = database() else { return };
    for (key, value) in [
        ("POSTGRES_PASSWORD", "wrong secret"),
        ("POSTGRES_DBNAME", "nowhere"),
        ("POSTGRES_SCHEMA", "nowhere"),
        ("CREATE_TABLE", "n"),
    ] {
        let error = DogSchool::new(database.env().with(key, value)).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        let said = error.to_string();
        assert!(
            said.starts_with("DogSchool: ") && said.contains(key),
            "{said}"
        );
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn a_damaged_state_and_another_key_name_topic_aggregate_and_version() -> Result<()> {
    let Some(database) = database() else {
        return Ok(());
    };
    let env = zlib_and_aes(database.env());
    school(env.clone())?.close();
    let billy = Dog::create_id("Billy");
    let error = |env| {
        let school = DogSchool::new(env).expect("the school opens");
        let error = school.get_dog("Billy").expect_err("it cannot be read");
        assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
        error.to_string()
    };
    let of = |event, version| {
        format!(
            "DogSchool: event `dogschool:Dog.{event}` of aggregate {billy} at version {version}: "
        )
    };
    let other_key = error(zlib_and_aes(database.env()));
    assert!(
        other_key.starts_with(&of("Registered", 1)) && other_key.contains("cannot be decrypted"),
        "{other_key}"
    );
    run(
        &database,
        "UPDATE dogschool_events SET state = '\\x00' WHERE originator_version = 2",
    );
    let damaged = error(env);
    assert!(
        damaged.starts_with(&of("TrickAdded", 2)) && damaged.contains("too short"),
        "{damaged}"
    );
    Ok(())
}

#[test]
fn a_follower_stops_in_front_of_a_damaged_event_and_nobody_else_does() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let Some(database) = database() else {
            return Ok(());
        };
        school(database.env())?.close();
        run(
            &database,
            "UPDATE dogschool_events SET state = NULL WHERE originator_version = 2",
        );
        let mut runner = R::new(&System::new(pipes![[DogSchool, Counters]])?, database.env())?;
        runner.start()?;
        let error = runner.wait_until_idle(PATIENCE).expect_err("it stops");
        let said = error.to_string();
        assert!(
            said.contains("damaged row at position 2") && said.contains("DogSchool"),
            "{said}"
        );
        runner.get::<DogSchool>()?.register_dog("Milly")?;
        assert_eq!(runner.get::<Counters>()?.notification_log().head()?, 0);
        runner.stop()
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}
