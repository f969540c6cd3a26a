//! The pages of the guide say what the code does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use es_system::prelude::*;
use es_system::store::{Role, ddl};
use es_system::testing::postgres::database;
use tests::domain::{Counters, Dog, DogSchool};
use tests::{PATIENCE, files};

const OPERATING: &str = include_str!("../../es-system/src/guide/operating.md");
const SHARING: &str = include_str!("../../es-system/src/guide/sharing_with_python.md");
const PROMISES: &str = include_str!("../../es-system/src/guide/promises.md");
/// The reference, whose table is shorter.
const REFERENCE: &str = include_str!("../../es-system/src/lib.rs");
const README: &str = include_str!("../../README.md");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Whether a text is the key of a setting: words in upper case, with `_` between them.
fn is_key(text: &str) -> bool {
    let mut words = text.split('_');
    text.contains('_')
        && words.all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase()))
}

/// All sources in a folder and those in it, without tests and what is for tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of sources");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let is_ours = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or_default();
        name != "tests" && name != "testing"
    };
    let of = |path: PathBuf| match path.is_dir() {
        true => sources(&path),
        false => vec![path],
    };
    paths.filter(is_ours).flat_map(of).collect()
}

/// The keys that stand in quotes in a source, in front of its tests and outside of comments.
fn keys_in(source: &Path) -> Vec<String> {
    let source = std::fs::read_to_string(source).expect("a source");
    let code = source
        .lines()
        .take_while(|line| !line.starts_with("#[cfg(") || !line.contains("test"))
        .filter(|line| !line.trim_start().starts_with("//"));
    let quoted = code.flat_map(|line| line.split('"').skip(1).step_by(2));
    quoted
        .filter(|text| is_key(text))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_guide_has_every_key_that_is_asked_for_and_no_other() {
    let asked: BTreeSet<String> = ["es-core/src", "es-store/src", "es-system/src"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .flat_map(|source| keys_in(&source))
        .collect();
    let rows = OPERATING.lines().filter_map(|line| {
        let (key, _) = line.strip_prefix("| `")?.split_once('`')?;
        Some(key.to_owned())
    });
    let listed: Vec<_> = rows.collect();
    let distinct: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(listed.len(), distinct.len(), "a key has one row");
    assert!(asked.len() > 20 && asked.contains("CIPHER_KEYS_OLD"));
    assert_eq!(distinct, asked);
    for key in asked {
        assert!(REFERENCE.contains(&format!("`{key}`")), "{key}");
    }
}

#[test]
fn every_file_that_is_linked_to_is_there() {
    let guide = "es-system/src/guide";
    for (folder, text) in [(guide, OPERATING), (guide, SHARING), (".", README)] {
        let targets = text.split("](").skip(1);
        let targets = targets.filter_map(|rest| rest.split_once(')'));
        for (target, _) in targets.filter(|(target, _)| !target.starts_with("http")) {
            assert!(root().join(folder).join(target).exists(), "{target}");
        }
    }
    let pages = std::fs::read_dir(root().join(guide)).expect("the guide");
    for page in pages.map(|page| page.expect("a page").file_name()) {
        let link = format!("]({guide}/{})", page.to_string_lossy());
        assert!(README.contains(&link), "{link}");
    }
}

/// A promise without a test that can fail is none.
#[test]
fn every_test_that_a_promise_names_is_there() {
    let folders = ["tests", "es-store/tests", "es-store/src", "es-system/src"];
    let mut tests = String::new();
    for source in folders
        .iter()
        .flat_map(|folder| rust_files(&root().join(folder)))
    {
        tests += &std::fs::read_to_string(source).expect("a source");
    }
    let quoted = PROMISES.split('`').skip(1).step_by(2);
    let named: Vec<_> = quoted
        .filter(|name| {
            name.contains('_') && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        })
        .collect();
    assert!(named.len() > 30, "{named:?}");
    for name in named {
        assert!(tests.contains(&format!("fn {name}(")), "{name}");
    }
    for promise in PROMISES
        .split("\n\n")
        .skip(2)
        .filter(|text| !text.trim().is_empty())
    {
        assert!(promise.contains("\n*Shown by* "), "{promise}");
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of sources");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let of = |path: PathBuf| match path.is_dir() {
        true => rust_files(&path),
        false => vec![path],
    };
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|of| of == "rs");
    paths.flat_map(of).filter(is_rust).collect()
}

/// The statements of a guide's blocks of SQL.
fn statements(guide: &str) -> Vec<String> {
    let blocks = guide.split("```sql\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap_or_default());
    let lines = blocks
        .flat_map(str::lines)
        .map(|line| line.trim().to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

#[test]
fn with_the_guides_statements_a_role_that_may_create_nothing_runs_a_system() -> Result<()> {
    let Some(database) = database() else {
        return Ok(());
    };
    let role = format!("dogs{}", std::process::id());
    let mut raw = database.connect();
    let mut run = |sql: &str| raw.batch_execute(sql).expect("the statement is right");
    run(&format!(
        "REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE ROLE {role} LOGIN PASSWORD 'none'"
    ));
    let env = database
        .env()
        .with("CREATE_TABLE", "n")
        .with("POSTGRES_USER", &role)
        .with("POSTGRES_PASSWORD", "none");
    for (application, kind) in [("DogSchool", Role::Leader), ("Counters", Role::Follower)] {
        run(&ddl(application, kind, &env).expect("printed"));
    }
    let statements = statements(OPERATING);
    assert_eq!(statements.len(), 5);
    for statement in statements {
        run(&statement.replace("TO dogs", &format!("TO {role}")));
    }

    let mut runner = MultiThreadedRunner::new(&System::new(pipes![[DogSchool, Counters]])?, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    school.take_snapshot::<Dog>(Dog::create_id("Billy"), None)?;
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 1);
    runner.stop()?;
    drop((school, runner));
    run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    Ok(())
}

#[test]
fn a_copy_that_is_made_as_the_guide_says_has_the_same_positions() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let school = DogSchool::new(files(dir.path()))?;
    for name in ["Billy", "Milly", "Scrappy"] {
        school.register_dog(name)?;
    }
    let file = rusqlite::Connection::open(dir.path().join("DogSchool.sqlite"));
    let file = file.expect("the file is there");
    let run = |sql: &str| file.execute_batch(sql).expect("the statement is right");
    // Without a gap in front, a copy with new positions would look the same.
    run("DELETE FROM stored_events WHERE rowid < 3");
    let (statement, target) = ("VACUUM INTO 'copy.sqlite'", dir.path().join("copy.sqlite"));
    assert!(OPERATING.contains(statement));
    run(&statement.replace("copy.sqlite", &target.to_string_lossy()));

    let copied = files(dir.path()).with("DOGSCHOOL_SQLITE_DBNAME", target.to_string_lossy());
    let log = DogSchool::new(copied)?.notification_log().select(1, 10)?;
    let positions: Vec<_> = log.iter().map(|event| event.id).collect();
    assert_eq!(positions, [3]);
    Ok(())
}
