//! The programs that wrote the databases in `fixtures/releases`, and the contents of these
//! databases.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use es_system::prelude::*;
use serde::{Deserialize, Serialize};

use crate::domain::{Counters, Dog, DogSchool};
use crate::evolving;
use crate::journal::Journal;
use crate::table::TrickTable;

/// The log of all dogs.
#[aggregate(topic = "releases:Dogs")]
pub struct Dogs;

#[aggregate]
impl Dogs {
    /// Returns the id of the log.
    #[id]
    pub fn create_id() -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, b"/dogs")
    }

    /// Makes an entry of the log.
    #[event(Named)]
    pub fn named(name: &str) -> Self {
        Self
    }
}

/// A person, whose id is a text.
#[aggregate(topic = "releases:Person")]
pub struct Person {
    /// The name.
    pub name: String,
    /// The number of visits.
    pub visits: u64,
}

#[aggregate]
impl Person {
    /// Returns the id, which is the name.
    #[id]
    pub fn create_id(name: &str) -> String {
        name.to_owned()
    }

    /// Makes a person who was not here before.
    #[event(Met)]
    pub fn meet(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            visits: 0,
        }
    }

    /// Records one more visit.
    #[event(Visited)]
    pub fn visit(&mut self) {
        self.visits += 1;
    }
}

/// An application with text ids.
#[application]
pub struct Names;

/// A letter to a person, whose id is a text.
#[aggregate(topic = "releases:Letter")]
pub struct Letter;

#[aggregate]
impl Letter {
    /// Returns the id, which is made of the name and the visit.
    #[id]
    pub fn create_id(name: &str, visit: u64) -> String {
        format!("letter {visit} to {name}")
    }

    /// Makes a letter after a visit.
    #[event(Written)]
    pub fn write(name: &str, visit: u64) -> Self {
        let _only_the_id_has_them = (name, visit);
        Self
    }
}

/// A follower with text ids, which writes a letter after each visit.
#[process_application]
pub struct Letters;

#[process_application]
impl Letters {
    #[policy(Person::Visited)]
    fn write(
        &self,
        event: &DomainEvent<PersonVisited>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let name = event.originator_id.to_string();
        let visit = event.originator_version - 1;
        processing_event.collect_events(&mut Letter::write(&name, visit));
        Ok(())
    }
}

/// The expected contents of a set of databases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The tricks of each dog.
    pub dogs: BTreeMap<String, Vec<String>>,
    /// The version up to which Billy's snapshot goes.
    pub snapshot: u64,
    /// The names in the log of all dogs.
    pub log: Vec<String>,
    /// The last position of the school.
    pub head: u64,
    /// The position in the school up to which the counters and the table of tricks have counted.
    pub position: u64,
    /// The number of times that each trick was counted up to there.
    pub counts: BTreeMap<String, u64>,
    /// The positions in the journal, whose follower has stopped after the last of them.
    pub journal: Vec<u64>,
    /// The last position of the interrupted rebuild of the journal.
    pub rebuilt: u64,
    /// The number of visits of each person.
    pub people: BTreeMap<String, u64>,
    /// The number of letters, which equals the number of processed visits.
    pub letters: u64,
}

/// A trick at which the journal stops until it is mended.
pub const FAILING: &str = "fail before the next release";

/// The names under which each program of [`evolving`] has taught a dog, by its version.
pub const EVOLVING: [(u64, &str); 4] = [(1, "One"), (2, "Two"), (3, "Three"), (4, "Four")];

/// Returns the folder of all sets.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/releases")
}

/// Returns the same environment, with text ids for the applications that use them.
pub fn plain(env: Env) -> Env {
    env.with("NAMES_ORIGINATOR_ID_TYPE", "text")
        .with("LETTERS_ORIGINATOR_ID_TYPE", "text")
}

/// Returns the environment of [`plain`], compressed and encrypted. The key is the bytes 0 to 31.
pub fn sealed(env: Env) -> Env {
    plain(env)
        .with("COMPRESSOR_TOPIC", "zlib")
        .with("CIPHER_TOPIC", "aes")
        .with("CIPHER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
}

/// Returns the system of all these applications.
///
/// # Errors
/// Never fails, because the system is valid.
pub fn system() -> Result<System> {
    System::new(pipes![
        [DogSchool, Counters],
        [DogSchool, TrickTable],
        [DogSchool, Journal],
        [Names, Letters]
    ])
}

/// Writes the contents of a set to plain or sealed databases.
///
/// # Errors
/// Fails if a store fails.
pub fn write(env: &Env) -> Result<Expected> {
    let mut runner = SingleThreadedRunner::new(&system()?, env.clone())?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    let names = runner.get::<Names>()?;
    for (name, tricks) in [
        ("Billy", &["sit", "roll over"][..]),
        ("Søren \"Ünï\" 🐕", &["sit"]),
    ] {
        school.register_dog(name)?;
        school
            .log::<Dogs>(Dogs::create_id())
            .append(Dogs::named(name))?;
        for trick in tricks {
            school.add_trick(name, trick)?;
        }
    }
    school.take_snapshot::<Dog>(Dog::create_id("Billy"), None)?;
    school.add_trick("Billy", FAILING)?;
    school.add_trick("Billy", "sit")?;
    runner
        .rebuild::<Journal>(|_| {})
        .expect_err("the journal fails at a trick");
    for name in ["Ann", "Bob"] {
        let mut person = Person::meet(name);
        person.visit();
        names.save(&mut person)?;
    }
    let counters = runner.get::<Counters>()?;
    let journal = runner.get::<Journal>()?;
    let position = counters.position_in("DogSchool")?;
    let counts = ["sit", "roll over", FAILING]
        .map(|trick| Ok((trick.to_owned(), counters.get_count(trick)?)));
    let mut expected = Expected {
        dogs: BTreeMap::new(),
        snapshot: 3,
        log: Vec::new(),
        head: 0,
        position: position.unwrap_or(0),
        counts: counts.into_iter().collect::<Result<_>>()?,
        journal: journal.positions()?,
        rebuilt: journal.position_in("DogSchool")?.unwrap_or(0),
        people: BTreeMap::new(),
        letters: runner.get::<Letters>()?.notification_log().head()?,
    };
    runner.stop()?;
    write_behind_the_followers(&school, &names, &mut expected)?;
    Ok(expected)
}

/// Writes events that no follower has processed, and returns the final contents of the leaders.
fn write_behind_the_followers(
    school: &DogSchool,
    names: &Names,
    expected: &mut Expected,
) -> Result<()> {
    school.add_trick("Billy", "roll over")?;
    school.register_dog("Milly")?;
    school.add_trick("Milly", "sit")?;
    let mut ann: Person = names.repository().get("Ann")?;
    ann.visit();
    names.save(&mut ann)?;

    for name in ["Billy", "Søren \"Ünï\" 🐕", "Milly"] {
        expected
            .dogs
            .insert(name.to_owned(), school.get_dog(name)?.tricks.clone());
    }
    for name in ["Ann", "Bob"] {
        let person: Person = names.repository().get(name)?;
        expected.people.insert(name.to_owned(), person.visits);
    }
    expected.log = names_in(school)?;
    expected.head = school.notification_log().head()?;
    Ok(())
}

/// Returns the names in the log of all dogs.
///
/// # Errors
/// Fails if the log cannot be read.
pub fn names_in(school: &DogSchool) -> Result<Vec<String>> {
    let log = school.log::<Dogs>(Dogs::create_id());
    let entries = log.get(&EventQuery::all())?;
    let name = |entry: es_system::LoggedEvent<DogsEvent>| match entry.payload {
        DogsEvent::Named(named) => named.name,
    };
    Ok(entries.into_iter().map(name).collect())
}

/// Has each program of [`evolving`] teach a dog.
///
/// # Errors
/// Fails if a store fails.
pub fn write_evolving(env: &Env) -> Result<()> {
    EVOLVING.into_iter().try_for_each(|(version, name)| {
        let school = evolving::DogSchool::new(env.clone())?;
        evolving::teach(&school, name, version)?;
        Ok(())
    })
}
