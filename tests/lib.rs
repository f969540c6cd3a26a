//! Code that several test binaries share: the tutorial's domain, and environments on every store.

/// The tutorial's aggregates and applications, from the example.
#[allow(missing_docs, reason = "the tutorial's code has no docs")]
#[path = "../examples/dog_school/domain.rs"]
pub mod domain;

/// The example's projection.
#[allow(missing_docs, reason = "the example's code has no docs")]
#[path = "../examples/trick_table/table.rs"]
pub mod table;

pub mod evolving;
pub mod journal;
pub mod ledger;
pub mod library;
pub mod mirror;
#[allow(missing_docs, reason = "each program is a few names of a domain")]
pub mod programs;
pub mod releases;
pub mod tooling;
pub mod wrapped;

use std::path::Path;
use std::time::Duration;

use es_system::Env;
use es_system::testing::postgres::{Database, database};
use tempfile::TempDir;

/// A time that is long enough for everything that should happen at all.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Returns the factor by which the long tests are extended: `ES_TORTURE`, or 1 if it is not set.
pub fn torture() -> usize {
    std::env::var("ES_TORTURE")
        .ok()
        .and_then(|factor| factor.parse().ok())
        .unwrap_or(1)
}

/// An environment, and the folder of its files.
pub struct Place {
    /// The name in a failed assertion.
    pub name: &'static str,
    /// The environment.
    pub env: Env,
    _dir: TempDir,
    /// The database, if the store is PostgreSQL.
    pub database: Option<Database>,
}

/// Returns each store, empty. PostgreSQL is among them where it is available.
pub fn places() -> Vec<Place> {
    type Make = fn(&Path) -> Env;
    let makes: [(&str, Make); 5] = [
        ("memory", |_| Env::new()),
        ("memory behind a cache", |_| {
            Env::new().with("AGGREGATE_CACHE_MAXSIZE", "2")
        }),
        ("sqlite file", files),
        ("sqlite :memory:", |_| {
            Env::new()
                .with("PERSISTENCE_MODULE", "sqlite")
                .with("SQLITE_DBNAME", ":memory:")
        }),
        ("sqlite named memory", named_memory),
    ];
    let place = |(name, make): (&'static str, Make)| {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let env = make(dir.path());
        Place {
            name,
            env,
            _dir: dir,
            database: None,
        }
    };
    makes.into_iter().map(place).chain(postgres()).collect()
}

/// Returns a fresh PostgreSQL database, or `None` with a visible message where there is no
/// PostgreSQL.
pub fn postgres() -> Option<Place> {
    let database = database()?;
    Some(Place {
        name: "postgres",
        env: database.env(),
        _dir: tempfile::tempdir().expect("a temporary folder"),
        database: Some(database),
    })
}

/// The names of all applications in the tests' systems.
const APPLICATIONS: [&str; 19] = [
    "Pair",
    "DogSchool",
    "Counters",
    "North",
    "South",
    "Names",
    "Countdown",
    "Ping",
    "Pong",
    "Watcher",
    "Second",
    "Third",
    "Mirror",
    "TrickTable",
    "Journal",
    "Letters",
    "Library",
    "Ledger",
    "Slow",
];

/// Returns an environment with a SQLite file in `dir` for each application.
pub fn files(dir: &Path) -> Env {
    each_application(|name| {
        dir.join(format!("{name}.sqlite"))
            .to_string_lossy()
            .into_owned()
    })
}

/// Makes the environment of `place` available to other processes, which read it by [`settings`]
/// from the returned folder.
///
/// # Panics
/// Panics if the folder cannot be written.
pub fn shared(place: &Place) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    if place.name == "postgres" {
        let value = |key| place.env.get(key).unwrap_or_default();
        let lines: Vec<_> = POSTGRES_KEYS
            .iter()
            .map(|key| format!("{key}={}\n", value(key)))
            .collect();
        std::fs::write(dir.path().join("settings"), lines.concat())
            .expect("the folder can be written");
    }
    dir
}

/// Returns the environment of a folder: the one that [`shared`] has stored there, or a SQLite file
/// for each application.
pub fn settings(dir: &Path) -> Env {
    let Ok(lines) = std::fs::read_to_string(dir.join("settings")) else {
        return files(dir);
    };
    let settings = lines.lines().filter_map(|line| line.split_once('='));
    settings.fold(Env::new(), |env, (key, value)| env.with(key, value))
}

const POSTGRES_KEYS: [&str; 6] = [
    "PERSISTENCE_MODULE",
    "POSTGRES_DBNAME",
    "POSTGRES_HOST",
    "POSTGRES_PORT",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
];

fn named_memory(dir: &Path) -> Env {
    let unique = dir.file_name().unwrap_or_default().to_string_lossy();
    each_application(|name| format!("file:{unique}{name}?mode=memory&cache=shared"))
}

fn each_application(database: impl Fn(&str) -> String) -> Env {
    let sqlite = Env::new().with("PERSISTENCE_MODULE", "sqlite");
    APPLICATIONS.iter().fold(sqlite, |env, name| {
        env.with(
            format!("{}_SQLITE_DBNAME", name.to_uppercase()),
            database(name),
        )
    })
}

/// Teaches a trick to a dog that several writers teach at once. After a conflict it loads the dog
/// again.
///
/// # Errors
/// Returns every error except a conflict.
pub fn teach(school: &domain::DogSchool, dog: &str) -> es_system::Result<()> {
    loop {
        match school.add_trick(dog, "sit") {
            Err(error) if error.kind() == es_system::ErrorKind::Conflict => {}
            outcome => return outcome,
        }
    }
}
