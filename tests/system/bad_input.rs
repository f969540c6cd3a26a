//! Bad data and bad environments cause a clear error that names the cause, and never a panic.

use std::path::{Path, PathBuf};

use es_system::prelude::*;
use rusqlite::Connection;
use tests::domain::{Counters, Dog, DogSchool};
use tests::{PATIENCE, files};

/// A folder with the files of a school in which Billy can sit, and of its counters.
struct Files {
    dir: tempfile::TempDir,
}

impl Files {
    fn new() -> Result<Self> {
        let files = Self {
            dir: tempfile::tempdir().expect("a temporary folder"),
        };
        let school = DogSchool::new(files.env())?;
        school.register_dog("Billy")?;
        school.add_trick("Billy", "sit")?;
        school.close();
        Ok(files)
    }

    fn env(&self) -> Env {
        files(self.dir.path())
    }

    fn school(&self) -> PathBuf {
        self.dir.path().join("DogSchool.sqlite")
    }

    /// Changes the school's database without the library.
    fn damage(&self, sql: &str) {
        let connection = Connection::open(self.school()).expect("the file is there");
        connection
            .execute_batch(sql)
            .expect("the statement is right");
    }

    fn error_of_get(&self) -> Error {
        let school = DogSchool::new(self.env()).expect("the school opens");
        school.get_dog("Billy").expect_err("Billy cannot be read")
    }
}

fn billy() -> String {
    Dog::create_id("Billy").to_string()
}

#[test]
fn a_damaged_state_names_topic_aggregate_and_version() -> Result<()> {
    for state in [
        "x''",
        "x'ff'",
        "'{'",
        "'[]'",
        "'{}'",
        "x'7b7d7d'",
        "'{\"timestamp\":1,\"trick\":\"sit\"}'",
    ] {
        let files = Files::new()?;
        files.damage(&format!(
            "UPDATE stored_events SET state = CAST({state} AS BLOB) WHERE rowid = 2"
        ));
        let error = files.error_of_get();
        assert_eq!(error.kind(), ErrorKind::BadData, "{state}: {error}");
        let start = format!(
            "DogSchool: event `dogschool:Dog.TrickAdded` of aggregate {} at version 2: ",
            billy()
        );
        assert!(error.to_string().starts_with(&start), "{state}: {error}");
    }
    Ok(())
}

#[test]
fn a_field_of_another_type_is_named_and_its_value_is_not_shown() -> Result<()> {
    let files = Files::new()?;
    files.damage(
        "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '\"sit\"', '[\"secret\"]') AS BLOB) \
         WHERE rowid = 2",
    );
    let error = files.error_of_get().to_string();
    assert!(error.contains("field `trick`"), "{error}");
    assert!(!error.contains("secret"), "{error}");
    Ok(())
}

#[test]
fn an_unknown_topic_in_an_aggregate_is_named() -> Result<()> {
    let files = Files::new()?;
    files.damage("UPDATE stored_events SET topic = 'dogschool:Dog.Adopted' WHERE rowid = 2");
    let error = files.error_of_get().to_string();
    assert!(
        error.contains("event `dogschool:Dog.Adopted`") && error.contains("not known"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_missing_version_is_named() -> Result<()> {
    let files = Files::new()?;
    files.damage("UPDATE stored_events SET originator_version = 12 WHERE rowid = 2");
    let error = files.error_of_get();
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(
        error
            .to_string()
            .contains("has version 12 where version 2 comes next"),
        "{error}"
    );
    Ok(())
}

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

fn error_of_opening(env: Env) -> Error {
    DogSchool::new(env).expect_err("it cannot be opened")
}

#[test]
fn a_wrong_environment_names_the_key_and_the_value() {
    let sqlite = || Env::new().with("PERSISTENCE_MODULE", "sqlite");
    let file = || sqlite().with("SQLITE_DBNAME", ":memory:");
    let cases = [
        (
            Env::new().with("PERSISTENCE_MODULE", "papyrus"),
            ["PERSISTENCE_MODULE", "papyrus"],
        ),
        (sqlite(), ["DOGSCHOOL_SQLITE_DBNAME", "SQLITE_DBNAME"]),
        (
            sqlite().with("SQLITE_DBNAME", ""),
            ["SQLITE_DBNAME", "the name of a database"],
        ),
        (
            file().with("SQLITE_LOCK_TIMEOUT", "soon"),
            ["SQLITE_LOCK_TIMEOUT", "soon"],
        ),
        (
            file().with("CREATE_TABLE", "perhaps"),
            ["CREATE_TABLE", "perhaps"],
        ),
        (
            file().with("ORIGINATOR_ID_TYPE", "number"),
            ["ORIGINATOR_ID_TYPE", "number"],
        ),
        (
            file().with("DOGSCHOOL_ORIGINATOR_ID_TYPE", "number"),
            ["ORIGINATOR_ID_TYPE", "number"],
        ),
        (
            Env::new().with("COMPRESSOR_TOPIC", "gzip"),
            ["COMPRESSOR_TOPIC", "gzip"],
        ),
        (
            Env::new().with("DOGSCHOOL_CIPHER_TOPIC", "rot13"),
            ["DOGSCHOOL_CIPHER_TOPIC", "rot13"],
        ),
        (
            Env::new().with("CIPHER_TOPIC", "aes"),
            ["CIPHER_TOPIC", "DOGSCHOOL_CIPHER_KEY or CIPHER_KEY"],
        ),
    ];
    for (env, named) in cases {
        let error = error_of_opening(env);
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        let text = error.to_string();
        assert!(text.starts_with("DogSchool: "), "{text}");
        assert!(
            named.iter().all(|name| text.contains(name)),
            "{text} does not name {named:?}"
        );
    }
}

#[test]
fn a_wrong_poll_interval_is_an_error_when_a_runner_starts() -> Result<()> {
    let env = Env::new().with("COUNTERS_POLL_INTERVAL", "often");
    let mut runner = MultiThreadedRunner::new(&System::new(pipes![[DogSchool, Counters]])?, env)?;
    let error = runner.start().expect_err("no interval");
    assert!(
        error.to_string().contains("POLL_INTERVAL") && error.to_string().contains("often"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_folder_that_is_missing_is_named() {
    let env = files(Path::new("/no/such/folder"));
    let error = error_of_opening(env).to_string();
    assert!(
        error.starts_with("DogSchool: ") && error.contains("/no/such/folder"),
        "{error}"
    );
}

#[test]
fn a_read_only_database_can_be_read_and_says_so_when_it_is_written() -> Result<()> {
    let files = Files::new()?;
    let uri = format!("file:{}?mode=ro", files.school().display());
    let school = DogSchool::new(files.env().with("DOGSCHOOL_SQLITE_DBNAME", uri))?;
    assert_eq!(school.get_dog("Billy")?.tricks, ["sit"]);
    let mut dog = Dog::register("Milly");
    let error = school.save(&mut dog).expect_err("read-only");
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.to_string().contains("read-only"), "{error}");
    assert_eq!(dog.pending_events().len(), 1, "what is pending stays");
    Ok(())
}

#[test]
fn a_database_that_is_locked_for_too_long_says_so() -> Result<()> {
    let files = Files::new()?;
    let school = DogSchool::new(files.env().with("SQLITE_LOCK_TIMEOUT", "0.05"))?;
    let other = Connection::open(files.school()).expect("the file is there");
    other
        .execute_batch("BEGIN IMMEDIATE")
        .expect("the lock is free");
    let mut dog = Dog::register("Milly");
    let error = school.save(&mut dog).expect_err("locked");
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.to_string().contains("SQLITE_LOCK_TIMEOUT"), "{error}");
    other.execute_batch("ROLLBACK").expect("a transaction");
    school.save(&mut dog)?;
    assert!(dog.pending_events().is_empty());
    Ok(())
}

#[test]
fn a_second_application_on_one_file_is_an_error_that_names_both() -> Result<()> {
    let files = Files::new()?;
    let env = files
        .env()
        .with("COUNTERS_SQLITE_DBNAME", files.school().to_string_lossy());
    let error = Counters::new(env)
        .expect_err("the file belongs to the school")
        .to_string();
    assert!(
        error.contains("DogSchool") && error.contains("Counters"),
        "{error}"
    );
    Ok(())
}

/// An aggregate whose event body panics when it is replayed with a trick that nobody can do.
mod fragile {
    use es_system::prelude::*;

    #[aggregate(topic = "dogschool:Dog")]
    #[derive(Debug)]
    pub(super) struct Dog {
        pub(super) tricks: usize,
    }

    #[aggregate(vis = pub(super))]
    #[expect(dead_code, reason = "its events are only replayed")]
    impl Dog {
        #[event(Registered)]
        pub(super) fn register(name: &str) -> Self {
            Self {
                tricks: name.len() - name.len(),
            }
        }

        #[event(TrickAdded)]
        pub(super) fn add_trick(&mut self, trick: &str) {
            assert_ne!(trick, "fly", "nobody can fly");
            self.tricks += 1;
        }
    }
}

#[test]
fn a_body_that_panics_on_replay_is_an_error_with_topic_id_and_version() -> Result<()> {
    let files = Files::new()?;
    let school = DogSchool::new(files.env())?;
    school.add_trick("Billy", "fly")?;
    school.close();
    let school = DogSchool::new(files.env())?;
    let error = school
        .repository()
        .get::<fragile::Dog>(Dog::create_id("Billy"));
    let error = error.expect_err("nobody can fly").to_string();
    assert!(error.contains(&billy()), "{error}");
    assert!(
        error.contains("`dogschool:Dog.TrickAdded` panicked at version 3: "),
        "{error}"
    );
    assert!(error.contains("nobody can fly"), "{error}");
    Ok(())
}

/// An aggregate with a field whose type panics when it is read.
mod explosive {
    use es_system::prelude::*;

    #[derive(Clone, Serialize)]
    pub(super) struct Bomb;

    impl<'de> Deserialize<'de> for Bomb {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("a bomb was read")
        }
    }

    #[aggregate]
    #[derive(Debug)]
    pub(super) struct Mail {}

    #[aggregate(vis = pub(super))]
    impl Mail {
        #[event(Sent)]
        pub(super) fn send(content: Bomb) -> Self {
            let _ = content;
            Self {}
        }
    }
}

#[test]
fn a_type_that_panics_when_it_is_read_is_refused_or_an_error_and_never_a_panic() -> Result<()> {
    let files = Files::new()?;
    let school = DogSchool::new(files.env())?;
    files.damage("UPDATE stored_events SET topic = 'Mail.Sent', state = CAST(replace(CAST(state AS TEXT), 'name', 'content') AS BLOB) WHERE rowid = 1");
    let error = school
        .repository()
        .get::<explosive::Mail>(Dog::create_id("Billy"));
    let error = error.expect_err("it cannot be read").to_string();
    assert!(
        error.contains("`Mail.Sent` panicked at version 1: a bomb was read"),
        "{error}"
    );
    let _ = explosive::Mail::send(explosive::Bomb);
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

#[test]
fn an_id_of_the_other_form_is_an_error_and_not_a_missing_aggregate() -> Result<()> {
    let school = DogSchool::new(Files::new()?.env())?;
    let text = billy();
    for error in [
        school.repository().find::<Dog>(text.as_str()).map(drop),
        school.repository().get::<Dog>(text.as_str()).map(drop),
        school.contains(text.as_str()).map(drop),
    ] {
        let error = error.expect_err("text, where ids are UUIDs");
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains("ORIGINATOR_ID_TYPE"), "{error}");
    }
    Ok(())
}
