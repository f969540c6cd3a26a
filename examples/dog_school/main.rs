//! The tutorial's system, run with each runner on each embedded store.
//!
//! Without flags it runs all four combinations, on memory and on SQLite files in a temporary
//! folder. `--store memory|sqlite|postgres` and `--runner single|multi` choose one of them.
//! `--dir D` keeps the files in `D/single` and `D/multi`, and a second run goes on from what is
//! recorded there. `--store postgres` uses a fresh database on the server that `ES_POSTGRES_URL`
//! names, or on one that is started for it and thrown away.

mod domain;
mod flags;
mod report;

use std::path::Path;
use std::process::ExitCode;

use domain::{Counters, Dog, DogSchool};
use es_system::ApplicationType;
use es_system::prelude::*;
use es_system::testing::postgres::database;
use flags::{Flags, Store, Threads};

const DOGS: [&str; 3] = ["Billy", "Milly", "Scrappy"];
const TRICKS: [&str; 3] = ["roll over", "fetch ball", "play dead"];

/// A result whose error is printed and ends the program.
type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match Flags::parse(std::env::args().skip(1))
        .map_err(Into::into)
        .and_then(run_all)
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dog_school: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_all(flags: Flags) -> AnyResult<()> {
    let temporary = tempfile::tempdir()?;
    let dir = flags.dir.as_deref().unwrap_or(temporary.path());
    for &store in flags.stores() {
        for &threads in flags.threads() {
            let dir = dir.join(threads.name());
            match store {
                Store::Memory => run_with(threads, "memory store", Env::new())?,
                Store::Sqlite => run_with(threads, "sqlite store", files(&dir)?)?,
                Store::Postgres => on_postgres(threads)?,
            }
        }
    }
    print!("{}", system()?);
    Ok(())
}

fn system() -> Result<System> {
    System::new(pipes![[DogSchool, Counters]])
}

/// The environment of SQLite files. The same code runs on every store: only this differs.
fn files(dir: &Path) -> AnyResult<Env> {
    let file = |name: &str| dir.join(name).to_string_lossy().into_owned();
    std::fs::create_dir_all(dir)?;
    Ok(Env::new()
        .with("PERSISTENCE_MODULE", "sqlite")
        .with("DOGSCHOOL_SQLITE_DBNAME", file("dogschool.sqlite"))
        .with("COUNTERS_SQLITE_DBNAME", file("counters.sqlite")))
}

/// Runs on a fresh database: in plain JSON, then compressed and encrypted, and at last with the
/// counters in a SQLite file. The tables are dropped in between, as the counts would go on
/// otherwise.
fn on_postgres(threads: Threads) -> AnyResult<()> {
    let temporary = tempfile::tempdir()?;
    let database =
        database().ok_or("there is no PostgreSQL: install it, or set ES_POSTGRES_URL")?;
    let sealed = database
        .env()
        .with("COMPRESSOR_TOPIC", "zlib")
        .with("CIPHER_TOPIC", "aes")
        .with("CIPHER_KEY", es_system::store::create_key(32)?);
    let mixed = database
        .env()
        .with("COUNTERS_PERSISTENCE_MODULE", "sqlite")
        .with(
            "COUNTERS_SQLITE_DBNAME",
            temporary.path().join("counters.sqlite").to_string_lossy(),
        );
    let runs = [
        ("postgres store", database.env()),
        ("postgres store, zlib and AES", sealed),
        ("postgres store for dogs, sqlite store for counters", mixed),
    ];
    for (title, env) in runs {
        run_with(threads, title, env)?;
        database.drop_application(DogSchool::NAME);
        database.drop_application(Counters::NAME);
    }
    Ok(())
}

fn run_with(threads: Threads, store: &str, env: Env) -> AnyResult<()> {
    println!("=== {} runner, {store}", threads.name());
    match threads {
        Threads::Single => run::<SingleThreadedRunner>(env.clone())?,
        Threads::Multi => run::<MultiThreadedRunner>(env.clone())?,
    }
    // Constructed directly, the applications see what the system has recorded.
    if env.get("PERSISTENCE_MODULE").is_some() {
        println!(
            "Billy knows: {}",
            DogSchool::new(env)?.get_dog("Billy")?.tricks.join(", ")
        );
    }
    Ok(())
}

fn run<R: Runner>(env: Env) -> AnyResult<()> {
    let mut runner = R::new(&system()?, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    let counters = runner.get::<Counters>()?;
    runner.wait_until_idle(Duration::from_secs(5))?;
    let before = counts(&counters)?;

    for name in DOGS {
        if !school.contains(Dog::create_id(name))? {
            school.register_dog(name)?;
        }
    }
    for name in DOGS {
        school.add_trick(name, "roll over")?;
    }
    expect(&runner, &counters, before, [3, 0, 0])?;

    school.add_trick("Billy", "fetch ball")?;
    school.add_trick("Milly", "fetch ball")?;
    expect(&runner, &counters, before, [3, 2, 0])?;

    school.add_trick("Billy", "play dead")?;
    expect(&runner, &counters, before, [3, 2, 1])?;
    runner.stop()?;

    println!(
        "Scrappy knows: {}",
        school.get_dog("Scrappy")?.tricks.join(", ")
    );
    report::rows(&school, None)?;
    report::rows(&counters, Some(DogSchool::NAME))?;
    Ok(())
}

/// Waits until everything is processed, prints the counts, and checks them.
fn expect<R: Runner>(
    runner: &R,
    counters: &Counters,
    before: [u64; 3],
    new: [u64; 3],
) -> AnyResult<()> {
    runner.wait_until_idle(Duration::from_secs(5))?;
    let found = counts(counters)?;
    report::counts(TRICKS, found);
    let expected = std::array::from_fn(|trick| before[trick] + new[trick]);
    if found != expected {
        return Err(format!("counted {found:?} where {expected:?} is right").into());
    }
    Ok(())
}

fn counts(counters: &Counters) -> Result<[u64; 3]> {
    let [roll_over, fetch_ball, play_dead] = TRICKS;
    Ok([
        counters.get_count(roll_over)?,
        counters.get_count(fetch_ball)?,
        counters.get_count(play_dead)?,
    ])
}
