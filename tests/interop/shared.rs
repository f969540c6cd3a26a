//! The data that both sides use: SQLite files or a PostgreSQL database.

use std::collections::BTreeMap;

use es_system::prelude::*;
use es_system::testing::postgres::{self, Database};
use rusqlite::Connection;
use tempfile::TempDir;
use tests::domain::{Counters, DogSchool};

use crate::peer::Peer;

/// The store of a flow.
#[derive(Clone, Copy)]
pub enum Store {
    Sqlite,
    Postgres,
}

/// The choice between plain states and states that are compressed and encrypted.
#[derive(Clone, Copy, PartialEq)]
pub enum Sealing {
    Plain,
    Sealed,
}

pub const EITHER_WAY: [Sealing; 2] = [Sealing::Plain, Sealing::Sealed];

/// A system's data, and the settings with which both sides find it.
pub struct Shared {
    data: Data,
    sealing: Sealing,
}

enum Data {
    Files(TempDir),
    Database(Box<Database>),
}

/// The applications that have tables.
const APPLICATIONS: [&str; 3] = ["dogschool", "counters", "othercounters"];

impl Shared {
    /// Creates data that nobody has written yet. Returns `None`, after a message, if the store is
    /// not available here.
    pub fn new(store: Store, sealing: Sealing) -> Option<Self> {
        let data = match store {
            Store::Sqlite => Data::Files(tempfile::tempdir().expect("a temporary folder")),
            Store::Postgres => Data::Database(Box::new(postgres::database()?)),
        };
        Some(Self { data, sealing })
    }

    pub fn env(&self) -> Env {
        self.variables()
            .into_iter()
            .fold(Env::new(), |env, (key, value)| env.with(key, value))
    }

    /// Starts a Python process. Returns `None`, after a message, if there is no Python here.
    pub fn python(&self) -> Option<Peer> {
        Peer::start("peer.py", &self.variables())
    }

    /// Starts a Python process that has snapshots turned off.
    pub fn python_without_snapshots(&self) -> Option<Peer> {
        let mut variables = self.variables();
        variables.push(("IS_SNAPSHOTTING_ENABLED".to_owned(), "n".to_owned()));
        Peer::start("peer.py", &variables)
    }

    /// Starts a Python process of the domain that has four versions.
    pub fn python_in_version(&self, version: u64) -> Option<Peer> {
        let mut variables = self.variables();
        variables.push(("DOMAIN_VERSION".to_owned(), version.to_string()));
        Peer::start("evolving_peer.py", &variables)
    }

    /// Starts a runner of this library.
    pub fn rust<R: Runner>(&self) -> Result<R> {
        let mut runner = R::new(&System::new(pipes![[DogSchool, Counters]])?, self.env())?;
        runner.start()?;
        Ok(runner)
    }

    /// Makes the dogs' events up to a version unreadable.
    pub fn damage_dogs(&self, up_to: u64) {
        let damage = |table, nonsense| {
            format!("UPDATE {table} SET state = {nonsense} WHERE originator_version <= {up_to}")
        };
        match &self.data {
            Data::Files(dir) => connect(dir, "dogschool")
                .execute_batch(&damage("stored_events", "x'00'"))
                .expect("the events are there"),
            Data::Database(database) => database
                .connect()
                .batch_execute(&damage("dogschool_events", "'\\x00'"))
                .expect("the events are there"),
        }
    }

    /// Returns true if a text is anywhere in the files; `None` on a server, whose files are its
    /// own.
    pub fn shows(&self, text: &str) -> Option<bool> {
        let Data::Files(dir) = &self.data else {
            return None;
        };
        let files = std::fs::read_dir(dir).expect("the folder is there");
        let mut bytes = files.map(|file| std::fs::read(file.expect("a file").path()));
        let has = |bytes: Vec<u8>| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        Some(bytes.any(|bytes| has(bytes.expect("readable"))))
    }

    /// Returns everything that was created, by name. On SQLite the name begins with the file.
    pub fn tables(&self) -> BTreeMap<String, String> {
        match &self.data {
            Data::Files(dir) => APPLICATIONS
                .into_iter()
                .flat_map(|file| in_file(dir, file))
                .collect(),
            Data::Database(database) => in_database(database),
        }
    }

    pub fn variables(&self) -> Vec<(String, String)> {
        let mut variables = match &self.data {
            Data::Files(dir) => of_files(dir),
            Data::Database(database) => of_database(database),
        };
        let mut add = |key: &str, value: &str| variables.push((key.to_owned(), value.to_owned()));
        add("IS_SNAPSHOTTING_ENABLED", "y");
        if let Sealing::Sealed = self.sealing {
            add(
                "COMPRESSOR_TOPIC",
                "eventsourcing.compressor:ZlibCompressor",
            );
            add("CIPHER_TOPIC", "eventsourcing.cipher:AESCipher");
            add("CIPHER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        }
        variables
    }
}

fn of_files(dir: &TempDir) -> Vec<(String, String)> {
    let names = APPLICATIONS.into_iter().map(|name| {
        let key = format!("{}_SQLITE_DBNAME", name.to_uppercase());
        (key, file(dir, name))
    });
    let all = [
        ("PERSISTENCE_MODULE", "eventsourcing.sqlite"),
        ("SQLITE_LOCK_TIMEOUT", "30"),
        ("SQLITE_YIELD", "110"),
    ];
    let all = all.map(|(key, value)| (key.to_owned(), value.to_owned()));
    names.chain(all).collect()
}

fn of_database(database: &Database) -> Vec<(String, String)> {
    let env = database.env();
    let place = ["DBNAME", "HOST", "PORT", "USER", "PASSWORD"].map(|name| {
        let key = format!("POSTGRES_{name}");
        let value = env.get(&key).unwrap_or_default().to_owned();
        (key, value)
    });
    let module = (
        "PERSISTENCE_MODULE".to_owned(),
        "eventsourcing.postgres".to_owned(),
    );
    place.into_iter().chain([module]).collect()
}

fn file(dir: &TempDir, application: &str) -> String {
    let path = dir.path().join(format!("{application}.sqlite"));
    path.to_string_lossy().into_owned()
}

fn connect(dir: &TempDir, application: &str) -> Connection {
    Connection::open(file(dir, application)).expect("the file can be opened")
}

fn in_file(dir: &TempDir, application: &str) -> Vec<(String, String)> {
    let connection = connect(dir, application);
    let mut statement = connection
        .prepare("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        .expect("it is a database");
    let rows = statement
        .query_map([], |row| {
            let name: String = row.get(0)?;
            Ok((format!("{application}: {name}"), row.get(1)?))
        })
        .expect("it is a database");
    rows.collect::<Result<_, _>>().expect("it can be read")
}

/// Returns tables, indexes, sequences and composite types with their columns, and functions. The
/// number of each survives a renaming and changes when the object is created again.
fn in_database(database: &Database) -> BTreeMap<String, String> {
    let sql = "SELECT c.relname::text, concat(c.oid, ' ', c.relkind, ' ',
                   (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull),
                                      ', ' ORDER BY a.attnum)
                    FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0))
               FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace
               UNION ALL
               SELECT p.proname::text, concat(p.oid, ' ', pg_get_function_identity_arguments(p.oid))
               FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace";
    let rows = database.connect().query(sql, &[]).expect("the catalogue");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}
