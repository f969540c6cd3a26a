//! Every store keeps the same rules.

#[path = "conformance/controls.rs"]
mod controls;
#[path = "conformance/projections.rs"]
mod projections;
#[path = "conformance/tables.rs"]
mod tables;

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use es_core::IdType;
use es_store::testing::{self, FaultyRecorder, postgres::Database};
use es_store::{Env, ProcessRecorder, Role};
use tempfile::TempDir;

/// A path in a folder that is removed when the thread, and so the test, ends.
fn new_path() -> PathBuf {
    thread_local! {
        static FOLDERS: RefCell<Vec<TempDir>> = const { RefCell::new(Vec::new()) };
    }
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("store.sqlite");
    FOLDERS.with_borrow_mut(|folders| folders.push(folder));
    path
}

fn sqlite(name: &str, role: Role, ids: IdType) -> Arc<dyn ProcessRecorder> {
    let env = Env::new()
        .with("PERSISTENCE_MODULE", "sqlite")
        .with("SQLITE_DBNAME", name)
        .with("SQLITE_LOCK_TIMEOUT", "60")
        .with("ORIGINATOR_ID_TYPE", ids.to_string());
    es_store::open("Tested", role, &env).expect("a database")
}

mod memory {
    es_store::conformance_tests!(|role, ids| {
        let env = es_store::Env::new().with("ORIGINATOR_ID_TYPE", ids.to_string());
        es_store::open("Tested", role, &env).expect("a store")
    });
}

mod sqlite_file {
    es_store::conformance_tests!(|role, ids| {
        super::sqlite(super::new_path().to_str().expect("a path"), role, ids)
    });
}

mod sqlite_private_memory {
    es_store::conformance_tests!(|role, ids| super::sqlite(":memory:", role, ids));
}

mod sqlite_named_memory {
    es_store::conformance_tests!(|role, ids| super::named_memory(role, ids));
}

fn named_memory(role: Role, ids: IdType) -> Arc<dyn ProcessRecorder> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    sqlite(
        &format!("file:tested{number}?mode=memory&cache=shared"),
        role,
        ids,
    )
}

mod postgres {
    es_store::conformance_tests!(|role, ids| super::postgres(role, ids));
}

/// Opens the tables of a new application. Without PostgreSQL it opens a store in memory, which has
/// tests of its own.
fn postgres(role: Role, ids: IdType) -> Arc<dyn ProcessRecorder> {
    postgres_database(role, ids).unwrap_or_else(|| {
        let env = Env::new().with("ORIGINATOR_ID_TYPE", ids.to_string());
        es_store::open("Tested", role, &env).expect("a store")
    })
}

/// Opens the tables of a new application in the one database that these tests share, or returns
/// `None` where there is no PostgreSQL.
fn postgres_database(role: Role, ids: IdType) -> Option<Arc<dyn ProcessRecorder>> {
    static DATABASE: OnceLock<Option<Database>> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let database = DATABASE.get_or_init(testing::postgres::database).as_ref()?;
    let application = format!("Tested{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let env = database.env().with("ORIGINATOR_ID_TYPE", ids.to_string());
    Some(es_store::open(&application, role, &env).expect("a database"))
}

/// The rules about what is set aside ask nothing of a store that cannot set events aside.
#[test]
fn each_of_these_stores_can_set_events_aside() {
    for ids in [IdType::Uuid, IdType::Text] {
        let (role, path) = (Role::Follower, new_path());
        let memory = Env::new().with("ORIGINATOR_ID_TYPE", ids.to_string());
        let memory = es_store::open("Tested", role, &memory).expect("a store");
        let faulty = Arc::new(FaultyRecorder::new(memory.clone()));
        let file = sqlite(path.to_str().expect("a path"), role, ids);
        let (private, named) = (sqlite(":memory:", role, ids), named_memory(role, ids));
        for store in [memory, faulty, file, private, named, postgres(role, ids)] {
            store.check_set_aside().expect("it can");
        }
    }
}

mod faulty_recorder {
    use std::sync::Arc;

    use es_store::{memory::MemoryRecorder, testing::FaultyRecorder};

    es_store::conformance_tests!(|role, ids| {
        Arc::new(FaultyRecorder::new(Arc::new(MemoryRecorder::new(
            role, ids,
        ))))
    });
}
