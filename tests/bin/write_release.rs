//! Writes a new set of databases into `fixtures/releases`, which the tests open from then on:
//! `write_release NAME`.
//!
//! Each set is written once, by the release whose tables it has, and never again.

use std::path::Path;
use std::process::Command;

use es_system::prelude::*;
use es_system::testing::postgres::database;
use tests::files;
use tests::releases;

fn main() {
    let Some(name) = std::env::args().nth(1) else {
        panic!("the name of the new set is missing, such as 0.2.0-metadata");
    };
    let folder = releases::folder().join(name);
    std::fs::create_dir(&folder).expect("a set of this name is not there yet");
    let plain = write(&folder, "plain", releases::plain, releases::write);
    let sealed = write(&folder, "sealed", releases::sealed, releases::write);
    assert_eq!(plain, sealed);
    write(
        &folder,
        "evolving",
        releases::plain,
        releases::write_evolving,
    );
    let expected = serde_json::to_string_pretty(&plain).expect("it is JSON");
    std::fs::write(folder.join("expected.json"), expected + "\n").expect("the folder is new");
}

/// Writes one group of databases, as SQLite files and as a dump of PostgreSQL.
fn write<T: PartialEq + std::fmt::Debug>(
    folder: &Path,
    group: &str,
    settings: fn(Env) -> Env,
    program: fn(&Env) -> Result<T>,
) -> T {
    let dir = folder.join(group);
    std::fs::create_dir(&dir).expect("the folder is new");
    let names: &[&str] = match group {
        "evolving" => &["DogSchool"],
        _ => &[
            "DogSchool",
            "Counters",
            "TrickTable",
            "Journal",
            "Names",
            "Letters",
        ],
    };
    names
        .iter()
        .for_each(|name| make_small(&dir.join(format!("{name}.sqlite"))));
    let left = program(&settings(files(&dir))).expect("SQLite works");
    remove_locks(&dir);

    let database = database().expect("a set needs PostgreSQL");
    let env = settings(database.env());
    assert_eq!(program(&env).expect("PostgreSQL works"), left);
    let dump = folder.join(format!("{group}.sql"));
    std::fs::write(dump, dump_of(&env)).expect("the folder is new");
    left
}

/// Creates a database without tables and with small pages, so that the set is small.
fn make_small(file: &Path) {
    let connection = rusqlite::Connection::open(file).expect("the folder is new");
    let sql = "PRAGMA page_size = 512; PRAGMA user_version = 1; PRAGMA user_version = 0";
    connection.execute_batch(sql).expect("an empty database");
}

/// Removes the empty files with which rebuilds lock each other out.
fn remove_locks(dir: &Path) {
    for file in std::fs::read_dir(dir).expect("the folder is there") {
        let path = file.expect("a file").path();
        if path
            .extension()
            .is_none_or(|extension| extension != "sqlite")
        {
            std::fs::remove_file(path).expect("the folder can be written");
        }
    }
}

/// Returns the statements that restore a database, without anything that depends on its server.
fn dump_of(env: &Env) -> String {
    let setting = |key| env.get(key).expect("it is set");
    let output = Command::new("pg_dump")
        .env("PGPASSWORD", setting("POSTGRES_PASSWORD"))
        .args(["--inserts", "--no-owner", "--no-privileges"])
        .args([
            "--host",
            setting("POSTGRES_HOST"),
            "--port",
            setting("POSTGRES_PORT"),
        ])
        .args([
            "--username",
            setting("POSTGRES_USER"),
            setting("POSTGRES_DBNAME"),
        ])
        .output()
        .expect("`pg_dump` is in PATH");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problem}");
    let dump = String::from_utf8(output.stdout).expect("text");
    let is_of_the_server = |line: &&str| {
        ["--", "\\", "SET ", "SELECT pg_catalog.set_config("]
            .iter()
            .any(|start| line.starts_with(start))
    };
    let mut kept = String::new();
    for line in dump.lines().filter(|line| !is_of_the_server(line)) {
        if !(line.is_empty() && (kept.is_empty() || kept.ends_with("\n\n"))) {
            kept += line;
            kept += "\n";
        }
    }
    kept
}
