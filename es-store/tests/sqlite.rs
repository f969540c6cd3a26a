//! SQLite databases: those of Python, shared ones and damaged ones.

#[path = "sqlite/bad.rs"]
mod bad;
#[path = "sqlite/damaged.rs"]
mod damaged;
#[path = "sqlite/earlier.rs"]
mod earlier;
#[path = "sqlite/former.rs"]
mod former;
#[path = "sqlite/leftovers.rs"]
mod leftovers;
#[path = "sqlite/processes.rs"]
mod processes;
#[path = "sqlite/python.rs"]
mod python;
#[path = "sqlite/remedies.rs"]
mod remedies;
#[path = "sqlite/sharing.rs"]
mod sharing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use es_core::AggregateId;
use es_store::{Env, ProcessRecorder, Recording, Role, StoreError, StoredEvent, UpstreamEvent};
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

/// The folder of one test, with its databases.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn env(name: impl AsRef<Path>) -> Env {
    let name = name.as_ref().to_str().expect("a path");
    Env::new()
        .with("PERSISTENCE_MODULE", "sqlite")
        .with("SQLITE_DBNAME", name)
}

fn open(application: &str, role: Role, env: &Env) -> Arc<dyn ProcessRecorder> {
    es_store::open(application, role, env).expect("a database")
}

fn refused(application: &str, role: Role, env: &Env) -> StoreError {
    es_store::open(application, role, env)
        .err()
        .expect("refused")
}

/// Opens a connection that does not use the library.
fn raw(path: impl AsRef<Path>) -> Connection {
    Connection::open(path).expect("a connection")
}

fn id(number: u128) -> AggregateId {
    Uuid::from_u128(number).into()
}

fn event(number: u128, version: u64) -> StoredEvent {
    StoredEvent::new(id(number), version, "test:Thing.Happened", b"{}".to_vec())
}

fn event_id(number: u128, version: u64) -> UpstreamEvent {
    UpstreamEvent::from(&event(number, version))
}

fn recording(number: u128, versions: impl IntoIterator<Item = u64>) -> Recording {
    Recording::new(
        versions
            .into_iter()
            .map(|version| event(number, version))
            .collect(),
    )
}
