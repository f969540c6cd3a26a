//! Followers whose policies fail, by the rules of their users.

mod hanging;
mod health;
mod metrics;
mod moves;
mod poison;
mod rebuilds;
mod resumed;
mod retries;
mod switches;
mod waits;

use std::sync::Arc;
use std::time::Instant;

use es_system::prelude::*;
use es_system::testing::FaultyStores;
use tempfile::TempDir;
use tests::{PATIENCE, files, ledger, postgres};

/// Waits until `holds` returns true. A single-threaded runner works meanwhile.
fn wait_until(
    what: &str,
    runner: &impl Runner,
    mut holds: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let started = Instant::now();
    while !holds()? {
        assert!(started.elapsed() < PATIENCE, "it never happens: {what}");
        let _lags = runner.wait_until_idle(Duration::from_millis(1));
    }
    Ok(())
}

/// A store that outlives a runner.
struct Store {
    name: &'static str,
    env: Env,
    _place: (Option<TempDir>, Option<tests::Place>),
}

/// Returns each store, empty.
fn stores() -> Vec<Store> {
    let memory = Store {
        name: "memory",
        env: Env::new().with_store(Arc::new(FaultyStores::in_memory())),
        _place: (None, None),
    };
    [memory].into_iter().chain(sql_stores()).collect()
}

/// Returns each store that can keep the tables of a projection, empty.
fn sql_stores() -> Vec<Store> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let sqlite = Store {
        name: "sqlite",
        env: files(dir.path()),
        _place: (Some(dir), None),
    };
    let postgres = postgres().map(|place| Store {
        name: "postgres",
        env: place.env.clone(),
        _place: (None, Some(place)),
    });
    [sqlite].into_iter().chain(postgres).collect()
}
