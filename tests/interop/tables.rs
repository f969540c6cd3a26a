//! Each side finds the tables of the other, leaves them unchanged, and adds only its own.

use std::collections::BTreeMap;

use es_system::prelude::*;
use serde_json::json;
use tests::PATIENCE;
use tests::domain::{Counters, DogSchool};

use crate::shared::{Sealing, Shared, Store};

/// Returns the tables, indexes and functions that are added beside those that Python makes.
fn added_by_rust(store: Store) -> &'static [&'static str] {
    match store {
        Store::Sqlite => &[
            "counters: es_failures",
            "counters: es_failures_waiting",
            "counters: es_meta",
            "counters: es_operations",
            "counters: es_operations_began",
            "counters: es_operations_standing",
            "counters: es_operations_stopped",
            "counters: es_policies",
            "counters: es_upstream",
            "dogschool: es_meta",
        ],
        Store::Postgres => &[
            "counters_append_v3",
            "counters_began_idx",
            "counters_failures",
            "counters_failures_pkey",
            "counters_meta",
            "counters_meta_pkey",
            "counters_operations",
            "counters_operations_pkey",
            "counters_policies",
            "counters_policies_pkey",
            "counters_standing_idx",
            "counters_stopped_idx",
            "counters_upstream",
            "counters_upstream_pkey",
            "counters_waiting_idx",
            "dogschool_append_v3",
            "dogschool_meta",
            "dogschool_meta_pkey",
        ],
    }
}

pub fn rust_starts_on_the_tables_that_python_made(store: Store) -> Result<()> {
    let Some(shared) = Shared::new(store, Sealing::Plain) else {
        return Ok(());
    };
    let Some(mut python) = shared.python() else {
        return Ok(());
    };
    python.ask(json!(["start", "single"]));
    python.ask(json!(["register", "Billy"]));
    python.ask(json!(["add_trick", "Billy", "sit"]));
    let made = shared.tables();

    let runner: SingleThreadedRunner = shared.rust()?;
    runner.get::<DogSchool>()?.add_trick("Billy", "sit")?;
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 2);
    assert_eq!(added_to(&made, &shared.tables()), added_by_rust(store));

    // Python continues, in the process that created them and in a new one.
    python.ask(json!(["add_trick", "Billy", "sit"]));
    python.ask(json!(["stop"]));
    let all = shared.tables();
    python.ask(json!(["open"]));
    assert_eq!(python.count("sit"), 3);
    assert_eq!(shared.tables(), all);
    Ok(())
}

pub fn python_starts_on_the_tables_that_rust_made(store: Store) -> Result<()> {
    let Some(shared) = Shared::new(store, Sealing::Plain) else {
        return Ok(());
    };
    let Some(mut python) = shared.python() else {
        return Ok(());
    };
    let runner: SingleThreadedRunner = shared.rust()?;
    let school = runner.get::<DogSchool>()?;
    let counters = runner.get::<Counters>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    runner.wait_until_idle(PATIENCE)?;
    let made = shared.tables();

    python.ask(json!(["start", "single"]));
    python.ask(json!(["add_trick", "Billy", "sit"]));
    python.ask(json!(["take_snapshot", "Billy"]));
    assert_eq!(python.count("sit"), 2);
    let added: &[&str] = match store {
        Store::Sqlite => &[],
        // Python creates the function even if it does not call it.
        Store::Postgres => &["es_insert_events_uuid"],
    };
    assert_eq!(added_to(&made, &shared.tables()), added);

    school.add_trick("Billy", "sit")?;
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(counters.get_count("sit")?, 3);
    Ok(())
}

/// Returns the names that are new. Everything that existed before must be unchanged.
fn added_to<'a>(
    before: &BTreeMap<String, String>,
    now: &'a BTreeMap<String, String>,
) -> Vec<&'a str> {
    for (name, definition) in before {
        assert_eq!(now.get(name), Some(definition), "{name}");
    }
    let added = now.keys().filter(|name| !before.contains_key(*name));
    added.map(String::as_str).collect()
}
