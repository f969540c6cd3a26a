//! Rules that all commands keep: one that only reads creates nothing, and a mistake is told.

use crate::tool::{assert_shape, places, sqlite};
use es_system::Env;

#[test]
fn a_command_that_only_reads_creates_nothing() {
    for place in places() {
        for arguments in [
            &["status"][..],
            &["log", "DogSchool"],
            &["verify"],
            &["doctor"],
        ] {
            let ran = place.run(arguments);
            assert_eq!(ran.code, 1, "{}: {arguments:?}: {}", place.name, ran.out);
        }
        match &place.database {
            None => {
                let mut files = std::fs::read_dir(place.folder.path()).expect("the folder");
                assert!(files.next().is_none(), "no file is created");
            }
            Some(database) => {
                let tables =
                    "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
                let count = database.connect().query_one(tables, &[]).expect("a count");
                assert_eq!(count.get::<_, i64>(0), 0);
            }
        }
    }
}

#[test]
fn the_statements_that_create_the_tables_need_no_store() {
    let place = sqlite();
    let out = place.good(&["ddl", "Counters"]);
    assert!(out.contains("CREATE TABLE tracking"), "{out}");
    let out = place.good(&["ddl"]);
    assert!(
        out.starts_with("-- DogSchool\nCREATE TABLE stored_events"),
        "{out}"
    );
    assert_eq!(out.matches("CREATE TABLE tracking").count(), 3);
    assert_shape("ddl", &place.good(&["ddl", "DogSchool", "--json"]));
}

/// Returns the commands on a page: what follows the name of the tool, in quotes or on a line.
fn commands(page: &str) -> Vec<Vec<&str>> {
    let quoted = page.split('`').skip(1).step_by(2);
    let found = quoted.chain(page.lines().map(str::trim));
    let found = found.filter_map(|text| text.strip_prefix("tool "));
    found
        .map(|words| words.split_whitespace().collect())
        .collect()
}

#[test]
fn each_command_of_the_runbooks_exists_with_its_options() {
    let place = sqlite();
    let page = include_str!("../../es-system/src/guide/runbooks.md");
    let commands = commands(page);
    assert!(commands.len() > 15, "{commands:?}");
    for mut command in commands {
        // With it nothing is done, but all that stands in front of it is checked.
        command.push("--help");
        let ran = place.run(&command);
        assert_eq!(ran.code, 0, "{command:?}: {}", ran.err);
    }
}

#[test]
fn a_store_in_memory_is_refused() {
    let place = sqlite();
    let mut tool = crate::tool::command(&Env::new());
    let ran = tool.args(["log", "DogSchool"]).output().expect("the tool");
    assert_eq!(ran.status.code(), Some(2));
    let err = String::from_utf8_lossy(&ran.stderr);
    assert!(err.contains("its store is in memory"), "{err}");
    assert!(err.contains("set PERSISTENCE_MODULE"), "{err}");
    drop(place);
}

#[test]
fn help_and_completions_are_on_the_standard_output_and_mistakes_are_not() {
    let place = sqlite();
    let help = place.good(&["--help"]);
    assert!(help.contains("Exit codes: 0 is success"), "{help}");
    for command in [
        "status", "log", "show", "verify", "doctor", "rebuild", "ddl", "failures", "skip",
        "start-at", "pause", "resume",
    ] {
        assert!(
            help.contains(&format!("\n  {command} ")),
            "{command}: {help}"
        );
    }
    let script = place.good(&["completions", "bash"]);
    assert!(
        script.contains("--max-age") && script.contains("_tool"),
        "{script}"
    );
    let wrong = place.run(&["statsu"]);
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
    assert!(wrong.err.contains("status"), "{}", wrong.err);
}
