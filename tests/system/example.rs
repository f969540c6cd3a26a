//! Runs the examples as a user does.

use std::path::Path;
use std::process::Command;

use es_system::prelude::*;
use tests::domain::{Counters, DogSchool};

use crate::fixtures::{events_of, fixture_events, without_time};

fn dog_school(flags: &[&str]) -> String {
    run("dog_school", flags)
}

fn run(example: &str, flags: &[&str]) -> String {
    cargo_run(&["--example", example], flags)
}

fn cargo_run(program: &[&str], flags: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").expect("cargo runs the tests");
    let mut command = Command::new(cargo);
    command
        .args(["run", "--quiet"])
        .args(program)
        .arg("--")
        .args(flags);
    let output = command
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output();
    let output = output.expect("cargo can be run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

/// Returns the output with `…` in place of the time of each event.
fn without_times(output: &str) -> String {
    let lines = output.lines().map(|line| {
        if line.contains("_data_") {
            without_time(line) + "\n"
        } else {
            line.to_owned() + "\n"
        }
    });
    lines.collect()
}

fn counts(output: &str) -> Vec<&str> {
    output
        .lines()
        .filter(|line| line.starts_with("counts: "))
        .collect()
}

const FIRST_RUN: [&str; 3] = [
    "counts: roll over 3, fetch ball 0, play dead 0",
    "counts: roll over 3, fetch ball 2, play dead 0",
    "counts: roll over 3, fetch ball 2, play dead 1",
];

#[test]
fn without_flags_it_runs_every_runner_on_every_store() {
    let output = dog_school(&[]);
    let printed = include_str!("../../examples/dog_school/output.txt");
    assert_eq!(without_times(&output), printed);
    assert_eq!(counts(&output), FIRST_RUN.repeat(4));
    assert_eq!(output.matches("  tracking: DogSchool 9").count(), 4);
    assert!(
        output.ends_with("    n0[\"DogSchool\"]\n    n1[\"Counters\"]\n    n0 --> n1\n"),
        "{output}"
    );
}

#[test]
fn it_runs_on_postgresql_plain_sealed_and_mixed() {
    if tests::postgres().is_none() {
        return;
    }
    let output = dog_school(&["--store", "postgres"]);
    assert_eq!(counts(&output), FIRST_RUN.repeat(6));
    assert_eq!(output.matches("  tracking: DogSchool 9").count(), 6);
    assert_eq!(output.matches("bytes, sealed)").count(), 2 * 18);
}

#[test]
fn its_first_run_records_the_rows_that_python_records_and_its_second_goes_on() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let flags = ["--dir", dir.path().to_str().expect("text")];
    assert_eq!(counts(&dog_school(&flags)), FIRST_RUN.repeat(2));
    for runner in ["single", "multi"] {
        for application in ["dogschool", "counters"] {
            let file = dir
                .path()
                .join(runner)
                .join(format!("{application}.sqlite"));
            let python = fixture_events(&format!("plain-{application}.sqlite"));
            assert_eq!(events_of(&file), python[..9], "{runner} {application}");
        }
        let tracked = tracking(&dir.path().join(runner).join("counters.sqlite"));
        assert_eq!(
            tracked,
            [("DogSchool".to_owned(), 9), ("__migration__".to_owned(), 1)]
        );
    }
    let second = dog_school(&flags);
    assert_eq!(
        counts(&second).last(),
        Some(&"counts: roll over 6, fetch ball 4, play dead 2")
    );
    let env = Env::new()
        .with("PERSISTENCE_MODULE", "sqlite")
        .with(
            "DOGSCHOOL_SQLITE_DBNAME",
            dir.path().join("multi/dogschool.sqlite").to_string_lossy(),
        )
        .with(
            "COUNTERS_SQLITE_DBNAME",
            dir.path().join("multi/counters.sqlite").to_string_lossy(),
        );
    assert_eq!(
        DogSchool::new(env.clone())?.get_dog("Scrappy")?.tricks,
        ["roll over"; 2]
    );
    assert_eq!(Counters::new(env)?.get_count("roll over")?, 6);
    Ok(())
}

#[test]
fn the_others_print_what_is_checked_in() {
    for (example, printed) in [
        ("hello", include_str!("../../examples/hello/output.txt")),
        (
            "hall_of_fame",
            include_str!("../../examples/hall_of_fame/output.txt"),
        ),
        (
            "cargo_shipping",
            include_str!("../../examples/cargo_shipping/output.txt"),
        ),
    ] {
        assert_eq!(run(example, &[]), printed, "{example}");
    }
    let bank = include_str!("../../examples/bank/output.txt");
    assert_eq!(cargo_run(&["-p", "bank"], &[]), bank);
}

fn tracking(file: &Path) -> Vec<(String, i64)> {
    let connection = rusqlite::Connection::open(file).expect("the file is there");
    let sql = "SELECT application_name, notification_id FROM tracking ORDER BY application_name";
    let mut statement = connection.prepare(sql).expect("tracking is there");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.expect("rows")
        .collect::<Result<_, _>>()
        .expect("readable rows")
}

#[test]
fn its_user_code_is_as_short_as_the_design_says() {
    let source = include_str!("../../examples/dog_school/domain.rs");
    let code = source.split_once("#[aggregate").expect("an aggregate").1;
    let lines = code.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(
        lines <= 92,
        "{lines} lines that are not blank, from the first aggregate to the end"
    );
    assert!(
        source.trim_end().ends_with("}\n}"),
        "the code ends with `impl Counters`"
    );
}

/// Returns code without indentation, empty lines and the topics, which the README omits.
fn bare(code: &str) -> String {
    let topics = [
        r#"(topic = "dogschool:Dog")"#,
        r#"(topic = "dogschool:Counter")"#,
    ];
    let code = topics
        .iter()
        .fold(code.to_owned(), |code, topic| code.replace(topic, ""));
    let lines = code.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the blocks of Rust in a page that no other test compiles.
fn blocks<'a>(page: &'a str, fence: &str) -> Vec<&'a str> {
    let blocks = page.split(fence).skip(1);
    blocks
        .filter_map(|block| block.split("```").next())
        .collect()
}

#[test]
fn the_readme_and_the_guide_show_code_that_is_compiled() {
    let tutorial = include_str!("../../es-system/src/guide/tutorial.md");
    let testing = include_str!("../../es-system/src/guide/testing.md");
    let compiled = [
        include_str!("../../examples/dog_school/domain.rs"),
        include_str!("../../examples/dog_school/main.rs"),
        include_str!("../../examples/trick_table/table.rs"),
        include_str!("tutorial.rs"),
        include_str!("saving.rs"),
        include_str!("given_when_then.rs"),
        include_str!("test_first.rs"),
        include_str!("../lib.rs"),
        include_str!("../../es-system/src/guide/evolving_events.md"),
    ]
    .map(bare);
    for (page, fence, least) in [
        (include_str!("../../README.md"), "```rust\n", 5),
        (tutorial, "```rust,ignore\n", 6),
        (testing, "```rust,ignore\n", 8),
    ] {
        let blocks = blocks(page, fence);
        assert!(blocks.len() >= least, "{}", blocks.len());
        for code in blocks.into_iter().map(bare) {
            assert!(
                compiled.iter().any(|file| file.contains(&code)),
                "compiled nowhere:\n{code}"
            );
        }
    }
}

#[test]
fn the_trick_table_is_counted_rebuilt_and_goes_on() {
    let expected = include_str!("../../examples/trick_table/output.txt");
    assert_eq!(run("trick_table", &[]), expected);
    if tests::postgres().is_some() {
        assert_eq!(run("trick_table", &["--store", "postgres"]), expected);
    }
}
