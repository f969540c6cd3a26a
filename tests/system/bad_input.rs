//! Bad data and bad environments cause a clear error that names the cause, and never a panic.

mod environment;
mod followers;

use std::path::PathBuf;

use es_system::prelude::*;
use rusqlite::Connection;
use tests::domain::{Counters, Dog, DogSchool};
use tests::files;

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
