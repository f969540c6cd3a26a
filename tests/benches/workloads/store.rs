//! The stores that are measured, and a new place on each for every run.

use es_system::testing::postgres::{Database, database};
use tempfile::TempDir;
use tests::domain::DogSchool;

use crate::group::Raw;
use crate::raw_postgres::RawPostgres;
use crate::raw_sqlite::RawSqlite;

#[derive(Clone, Copy)]
pub enum Store {
    Sqlite,
    Postgres,
}

/// One side on a place of its own, which exists as long as the side does.
pub struct On<S> {
    pub side: S,
    _place: Place,
}

#[expect(dead_code, reason = "it is only dropped")]
enum Place {
    Folder(TempDir),
    Database(Box<Database>),
}

impl Store {
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// The word that selects the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// The name of the store in the report.
    pub fn title(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite file",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// Returns true if the store is available here. If it is not, a message has told the user.
    pub fn is_there(self) -> bool {
        match self {
            Self::Sqlite => true,
            Self::Postgres => database().is_some(),
        }
    }

    pub fn ours(self) -> On<DogSchool> {
        let (env, place) = match self {
            Self::Sqlite => {
                let dir = folder();
                (tests::files(dir.path()), Place::Folder(dir))
            }
            Self::Postgres => {
                let database = new_database();
                (database.env(), Place::Database(Box::new(database)))
            }
        };
        let side = DogSchool::new(env).expect("a new school");
        On {
            side,
            _place: place,
        }
    }

    pub fn raw(self) -> On<Box<dyn Raw>> {
        match self {
            Self::Sqlite => {
                let dir = folder();
                On {
                    side: Box::new(RawSqlite::open(&dir.path().join("raw.sqlite"))),
                    _place: Place::Folder(dir),
                }
            }
            Self::Postgres => {
                let database = new_database();
                On {
                    side: Box::new(RawPostgres::open(&database.env())),
                    _place: Place::Database(Box::new(database)),
                }
            }
        }
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn new_database() -> Database {
    database().expect("there was one before")
}
