//! A SQL table with the number of times that each trick was taught. It changes exactly once for
//! each event, and is rebuilt from all of them.
//!
//! The program runs on SQLite files in a temporary folder. With `--store postgres` it runs on a
//! fresh database of the server that `ES_POSTGRES_URL` names, or of one that is started for it and
//! thrown away.

#[path = "../dog_school/domain.rs"]
#[allow(dead_code, reason = "the counters are the other example's")]
mod domain;
mod table;

use std::path::Path;
use std::process::ExitCode;

use domain::DogSchool;
use es_system::prelude::*;
use es_system::testing::postgres::database;
use table::TrickTable;

const LESSONS: [(&str, &[&str]); 3] = [
    ("Billy", &["roll over", "fetch ball", "play dead"]),
    ("Milly", &["roll over", "fetch ball"]),
    ("Scrappy", &["roll over"]),
];

/// A result whose error is printed and ends the program.
type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match run_on_store() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trick_table: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_on_store() -> AnyResult<()> {
    let flags: Vec<String> = std::env::args().skip(1).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    match flags[..] {
        [] | ["--store", "sqlite"] => {
            let temporary = tempfile::tempdir()?;
            run(files(temporary.path()))
        }
        ["--store", "postgres"] => {
            let database = database();
            let database =
                database.ok_or("there is no PostgreSQL: install it, or set ES_POSTGRES_URL")?;
            run(database.env())
        }
        _ => Err("use --store sqlite or --store postgres".into()),
    }
}

fn files(dir: &Path) -> Env {
    let file = |name: &str| dir.join(name).to_string_lossy().into_owned();
    Env::new()
        .with("PERSISTENCE_MODULE", "sqlite")
        .with("DOGSCHOOL_SQLITE_DBNAME", file("dogschool.sqlite"))
        .with("TRICKTABLE_SQLITE_DBNAME", file("tricktable.sqlite"))
}

fn run(env: Env) -> AnyResult<()> {
    let system = System::new(pipes![[DogSchool, TrickTable]])?;
    let mut runner = MultiThreadedRunner::new(&system, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    let table = runner.get::<TrickTable>()?;
    for (name, tricks) in LESSONS {
        school.register_dog(name)?;
        for trick in tricks {
            school.add_trick(name, trick)?;
        }
    }
    runner.wait_until_idle(Duration::from_secs(60))?;
    print("counted", &table)?;

    // The old table is queried and kept up to date until the new one takes its place.
    runner.rebuild::<TrickTable>(|progress| eprintln!("{progress}"))?;
    print("rebuilt", &table)?;

    school.add_trick("Scrappy", "fetch ball")?;
    runner.wait_until_idle(Duration::from_secs(60))?;
    println!(
        "fetch ball was taught {} times",
        table.get_count("fetch ball")?
    );
    Ok(runner.stop()?)
}

fn print(title: &str, table: &TrickTable) -> Result<()> {
    println!(
        "{title}, up to event {}:",
        table.position_in("DogSchool")?.unwrap_or(0)
    );
    for (trick, count) in table.counts()? {
        println!("  {trick:<10}  {count}");
    }
    Ok(())
}
