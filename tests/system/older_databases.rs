//! Databases that earlier releases have written can be opened and used with this one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use es_system::prelude::*;
use es_system::store::{Role, Tables};
use tempfile::TempDir;
use tests::domain::{Counters, Dog, DogSchool};
use tests::evolving::{self, v4};
use tests::journal::{self, Journal};
use tests::releases::{self, Dogs, EVOLVING, Expected, FAILING, Letter, Letters, Names, Person};
use tests::table::TrickTable;
use tests::{PATIENCE, files};

/// A copy of one group of databases of one set, on one store.
struct Copy {
    /// The name in a failed assertion.
    name: String,
    env: Env,
    expected: Expected,
    _dir: TempDir,
    database: Option<es_system::testing::postgres::Database>,
}

/// Returns the sets of databases.
fn sets() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(releases::folder()).expect("the folder of all sets");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut sets: Vec<_> = paths.filter(|path| path.is_dir()).collect();
    assert!(!sets.is_empty(), "there is a set");
    sets.sort();
    sets
}

/// Returns a fresh copy of `group` of each set on each store.
fn copies(group: &str) -> Vec<Copy> {
    let settings = match group {
        "sealed" => releases::sealed,
        _ => releases::plain,
    };
    let mut copies = Vec::new();
    for set in sets() {
        let expected = std::fs::read(set.join("expected.json")).expect("the set is whole");
        let expected: Expected = serde_json::from_slice(&expected).expect("what is expected");
        let copy = |store: &str, env: Env, database| Copy {
            name: format!("{}, {store}", set.join(group).display()),
            env: settings(env),
            expected: expected.clone(),
            _dir: tempfile::tempdir().expect("a temporary folder"),
            database,
        };
        let mut sqlite = copy("SQLite", Env::new(), None);
        sqlite.env = settings(files(sqlite._dir.path()));
        copy_files(&set.join(group), sqlite._dir.path());
        copies.push(sqlite);
        if let Some(database) = es_system::testing::postgres::database() {
            let dump = std::fs::read_to_string(set.join(format!("{group}.sql")));
            let dump = dump.expect("the set is whole");
            database.connect().batch_execute(&dump).expect("it loads");
            copies.push(copy("PostgreSQL", database.env(), Some(database)));
        }
    }
    copies
}

fn copy_files(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("the set is whole") {
        let from = entry.expect("a file").path();
        let name = from.file_name().expect("a file has a name");
        std::fs::copy(&from, to.join(name)).expect("the folder can be written");
    }
}

/// Calls `check` with fresh copies of the plain and of the sealed databases.
fn with_copies(check: impl Fn(&Copy) -> Result<()>) {
    for copy in ["plain", "sealed"].into_iter().flat_map(copies) {
        check(&copy).unwrap_or_else(|error| panic!("{}: {error}", copy.name));
    }
}

/// Returns the number of times that each trick was taught to all dogs together.
fn taught(dogs: &BTreeMap<String, Vec<String>>) -> BTreeMap<&str, u64> {
    let mut counts = BTreeMap::new();
    for trick in dogs.values().flatten() {
        *counts.entry(trick.as_str()).or_default() += 1;
    }
    counts
}

#[test]
fn every_aggregate_and_log_of_an_older_database_is_as_it_was_left() {
    with_copies(
        |Copy {
             name,
             env,
             expected,
             ..
         }| {
            let school = DogSchool::new(env.clone())?;
            for (dog, tricks) in &expected.dogs {
                let found = school.get_dog(dog)?;
                assert_eq!((&found.name, &found.tricks), (dog, tricks), "{name}");
                assert_eq!(found.version(), tricks.len() as u64 + 1, "{name}");
            }
            assert_eq!(releases::names_in(&school)?, expected.log, "{name}");
            assert_eq!(school.notification_log().head()?, expected.head, "{name}");

            let counters = Counters::new(env.clone())?;
            for (trick, count) in &expected.counts {
                assert_eq!(counters.get_count(trick)?, *count, "{name}, {trick}");
            }
            let names = Names::new(env.clone())?;
            for (person, visits) in &expected.people {
                let found: Person = names.repository().get(person.as_str())?;
                assert_eq!((&found.name, found.visits), (person, *visits), "{name}");
            }
            Ok(())
        },
    );
}

#[test]
fn a_snapshot_of_an_older_database_is_used() {
    with_copies(|copy| {
        let id = Dog::create_id("Billy");
        // The events up to the snapshot cannot be read, so the test shows that the snapshot is.
        let spoil = |table: &str, state: &str, id: &str| {
            let version = copy.expected.snapshot;
            format!(
                "UPDATE {table} SET state = {state} WHERE originator_id = '{id}' AND originator_version <= {version}"
            )
        };
        let spoiled = match &copy.database {
            Some(database) => {
                let sql = spoil("dogschool_events", r"'\x00'", &id.to_string());
                database.connect().execute(&sql, &[]).expect("an update")
            }
            None => {
                let file = copy.env.get("DOGSCHOOL_SQLITE_DBNAME").expect("it is set");
                let file = rusqlite::Connection::open(file).expect("it opens");
                let sql = spoil("stored_events", "x'00'", &id.simple().to_string());
                file.execute(&sql, []).expect("an update") as u64
            }
        };
        assert_eq!(spoiled, copy.expected.snapshot, "{}", copy.name);
        let billy = DogSchool::new(copy.env.clone())?.get_dog("Billy")?;
        assert_eq!(billy.tricks, copy.expected.dogs["Billy"], "{}", copy.name);
        Ok(())
    });
}

#[test]
fn without_its_key_an_older_database_shows_nothing() -> Result<()> {
    for copy in copies("sealed") {
        let env = releases::sealed(copy.env).with("CIPHER_KEY", "AAAAAAAAAAAAAAAAAAAAAA==");
        let error = DogSchool::new(env)?
            .get_dog("Billy")
            .expect_err("another key");
        assert_eq!(error.kind(), ErrorKind::BadData, "{}: {error}", copy.name);
    }
    Ok(())
}

#[test]
fn a_system_goes_on_behind_the_positions_of_an_older_database() {
    with_copies(goes_on::<SingleThreadedRunner>);
    with_copies(goes_on::<MultiThreadedRunner>);
}

/// Each event is processed once, old ones and new ones.
fn goes_on<R: Runner>(copy: &Copy) -> Result<()> {
    let Copy {
        name,
        env,
        expected,
        ..
    } = copy;
    journal::mend(FAILING);
    let mut runner = R::new(&releases::system()?, env.clone())?;
    let school = runner.get::<DogSchool>()?;
    let counters = runner.get::<Counters>()?;
    let table = runner.get::<TrickTable>()?;
    let journal = runner.get::<Journal>()?;
    let position = Some(expected.position);
    assert_eq!(counters.position_in("DogSchool")?, position, "{name}");
    assert_eq!(table.position_in("DogSchool")?, position, "{name}");
    assert_eq!(journal.positions()?, expected.journal, "{name}");
    for (trick, count) in &expected.counts {
        assert_eq!(
            table.get_count(trick)?.cast_unsigned(),
            *count,
            "{name}, {trick}"
        );
    }

    let mut dogs = expected.dogs.clone();
    let teach = |dogs: &mut BTreeMap<String, Vec<String>>, dog: &str, trick: &str| {
        dogs.get_mut(dog).expect("a dog").push(trick.to_owned());
        school.add_trick(dog, trick)
    };
    teach(&mut dogs, "Billy", "sit")?;
    runner.start()?;
    teach(&mut dogs, "Milly", "spin")?;
    runner.wait_until_idle(PATIENCE)?;

    let head = school.notification_log().head()?;
    assert!(head > expected.head, "{name}");
    for position in [
        counters.position_in("DogSchool")?,
        table.position_in("DogSchool")?,
        journal.position_in("DogSchool")?,
    ] {
        assert_eq!(position, Some(head), "{name}");
    }
    check_followers(&runner, copy, &dogs)?;
    runner.rebuild::<TrickTable>(|_| {})?;
    if !records_policies(&copy.env) {
        assert!(runner.discard_rebuild::<Journal>()?, "{name}");
    }
    runner.rebuild::<Journal>(|_| {})?;
    check_followers(&runner, copy, &dogs)?;
    for (dog, tricks) in &dogs {
        assert_eq!(&school.get_dog(dog)?.tricks, tricks, "{name}");
    }
    runner.stop()
}

/// Checks that all followers of the school have counted each trick of `dogs` once.
fn check_followers<R: Runner>(
    runner: &R,
    Copy { name, expected, .. }: &Copy,
    dogs: &BTreeMap<String, Vec<String>>,
) -> Result<()> {
    let counters = runner.get::<Counters>()?;
    let table = runner.get::<TrickTable>()?;
    let counts = taught(dogs);
    for (trick, count) in &counts {
        assert_eq!(counters.get_count(trick)?, *count, "{name}, {trick}");
        let in_table = table.get_count(trick)?.cast_unsigned();
        assert_eq!(in_table, *count, "{name}, {trick}");
    }
    assert_eq!(table.counts()?.len(), counts.len(), "{name}");
    let positions = runner.get::<Journal>()?.positions()?;
    let tricks: u64 = counts.values().sum();
    assert_eq!(positions.len() as u64, tricks, "{name}");
    assert!(positions.starts_with(&expected.journal), "{name}");
    assert!(positions.is_sorted_by(|one, next| one < next), "{name}");
    Ok(())
}

#[test]
fn a_system_with_text_ids_goes_on_behind_the_positions_of_an_older_database() {
    fn flow<R: Runner>(copy: &Copy) -> Result<()> {
        let Copy {
            name,
            env,
            expected,
            ..
        } = copy;
        let mut runner = R::new(&System::new(pipes![[Names, Letters]])?, env.clone())?;
        let names = runner.get::<Names>()?;
        let letters = runner.get::<Letters>()?;
        assert_eq!(
            letters.notification_log().head()?,
            expected.letters,
            "{name}"
        );
        let visits: u64 = expected.people.values().sum();
        assert!(expected.letters < visits, "something is not processed yet");
        runner.start()?;
        let mut bob: Person = names.repository().get("Bob")?;
        bob.visit();
        names.save(&mut bob)?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(letters.notification_log().head()?, visits + 1, "{name}");
        for visit in 1..=bob.visits {
            let id = Letter::create_id("Bob", visit);
            assert!(letters.contains(id)?, "{name}, {visit}");
        }
        runner.stop()
    }
    with_copies(flow::<SingleThreadedRunner>);
    with_copies(flow::<MultiThreadedRunner>);
}

#[test]
fn a_log_of_an_older_database_goes_on_behind_its_last_event() {
    with_copies(
        |Copy {
             name,
             env,
             expected,
             ..
         }| {
            let school = DogSchool::new(env.clone())?;
            let log = school.log::<Dogs>(Dogs::create_id());
            let number = log.append(Dogs::named("Rex"))?;
            assert_eq!(number, expected.log.len() as u64 + 1, "{name}");
            let mut names = expected.log.clone();
            names.push("Rex".to_owned());
            assert_eq!(releases::names_in(&school)?, names, "{name}");
            Ok(())
        },
    );
}

/// Returns true if an interrupted rebuild of the journal has recorded its policies.
fn records_policies(env: &Env) -> bool {
    let recorder = es_system::store::open("Journal", Role::Follower, env).expect("it opens");
    let rebuilt = Tables::new(recorder).rebuilt("DogSchool").expect("read");
    assert!(rebuilt.position > Some(0), "{rebuilt:?}");
    rebuilt.policies.is_some()
}

#[test]
fn an_interrupted_rebuild_of_an_older_database_is_taken_up_if_its_policies_are_recorded() {
    with_copies(
        |Copy {
             name,
             env,
             expected,
             ..
         }| {
            journal::mend(FAILING);
            let runner = SingleThreadedRunner::new(&releases::system()?, env.clone())?;
            let journal = runner.get::<Journal>()?;
            let is_taken_up = records_policies(env);
            if !is_taken_up {
                let error = runner
                    .rebuild::<Journal>(|_| {})
                    .expect_err("its policies are not known");
                assert!(error.to_string().contains("`discard_rebuild`"), "{error}");
                assert_eq!(journal.positions()?, expected.journal, "{name}");
                assert!(runner.discard_rebuild::<Journal>()?, "{name}");
            }
            let mut first = None;
            let mut last = None;
            runner.rebuild::<Journal>(|progress| {
                first.get_or_insert(progress.done);
                last = Some(progress.done);
            })?;
            assert!(
                first > Some(expected.rebuilt) || !is_taken_up,
                "{name}: {first:?}"
            );
            assert_eq!(last, Some(expected.head), "{name}");
            let positions = journal.positions()?;
            let tricks: usize = expected.dogs.values().map(Vec::len).sum();
            assert_eq!(positions.len(), tricks, "{name}: {positions:?}");
            assert!(positions.starts_with(&expected.journal), "{name}");
            assert!(!runner.discard_rebuild::<Journal>()?, "{name}");
            Ok(())
        },
    );
}

#[test]
fn an_interrupted_rebuild_of_an_older_database_can_be_discarded() {
    with_copies(
        |Copy {
             name,
             env,
             expected,
             ..
         }| {
            let runner = SingleThreadedRunner::new(&releases::system()?, env.clone())?;
            assert!(runner.discard_rebuild::<Journal>()?, "{name}");
            assert!(!runner.discard_rebuild::<Journal>()?, "{name}");
            let journal = runner.get::<Journal>()?;
            assert_eq!(journal.positions()?, expected.journal, "{name}");
            Ok(())
        },
    );
}

#[test]
fn events_and_snapshots_of_older_class_versions_in_an_older_database_are_upcast() -> Result<()> {
    for copy in copies("evolving") {
        let school = evolving::DogSchool::new(copy.env.clone())?;
        for notification in school.notification_log().select(1, usize::MAX)? {
            school.decode::<v4::Dog>(&notification)?;
        }
        for (version, name) in EVOLVING {
            let mut dog: v4::Dog = school.repository().get(v4::Dog::create_id(name))?;
            evolving::check(&dog, version, &copy.name);
            dog.add_skill("spin", 9, Uuid::NAMESPACE_URL);
            school.save(&mut dog)?;
            let again: v4::Dog = school.repository().get(dog.id())?;
            assert_eq!(again, dog, "{}", copy.name);
        }
    }
    Ok(())
}
