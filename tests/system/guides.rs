//! The pages of the guide agree with the code.

mod format;
mod generated;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use es_store::KEYS;
use es_system::prelude::*;
use es_system::store::{Role, ddl};
use es_system::testing::postgres::database;
use tests::domain::{Counters, Dog, DogSchool};
use tests::{PATIENCE, files};

const OPERATING: &str = include_str!("../../es-system/src/guide/operating.md");
const PROMISES: &str = include_str!("../../es-system/src/guide/promises.md");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns true if a text looks like a key: words in upper case, with `_` between them.
fn is_key(text: &str) -> bool {
    let mut words = text.split('_');
    text.contains('_')
        && words.all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase()))
}

/// Returns all sources in a folder and its subfolders, without tests and test tools.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of sources");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let is_ours = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or_default();
        name != "tests" && name != "testing"
    };
    let of = |path: PathBuf| {
        if path.is_dir() {
            sources(&path)
        } else {
            vec![path]
        }
    };
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "rs");
    let files = paths.filter(is_ours).flat_map(of);
    files.filter(is_rust).collect()
}

/// A key that terminals' programs share, and that belongs to no application.
const NO_COLOR: &str = "NO_COLOR";

/// Returns the quoted texts in a source, before its tests and outside of comments.
fn quoted(source: &Path) -> Vec<String> {
    let source = std::fs::read_to_string(source).expect("a source");
    let code = source
        .lines()
        .take_while(|line| !line.starts_with("#[cfg(") || !line.contains("test"))
        .filter(|line| !line.trim_start().starts_with("//"));
    let quoted = code.flat_map(|line| line.split('"').skip(1).step_by(2));
    quoted.map(str::to_owned).collect()
}

#[test]
fn the_table_of_keys_has_every_key_that_is_asked_for_and_no_other() {
    let table = root().join("es-store/src/env/keys.rs");
    assert!(
        table.exists(),
        "the table is no source of what is asked for"
    );
    let asked: BTreeSet<String> = ["es-core/src", "es-store/src", "es-system/src"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .filter(|source| *source != table)
        .flat_map(|source| quoted(&source))
        .filter(|text| is_key(text) && text != NO_COLOR)
        .collect();
    let listed: BTreeSet<String> = KEYS.iter().map(|key| key.name.to_owned()).collect();
    assert_eq!(listed.len(), KEYS.len(), "a key is listed once");
    assert!(asked.len() > 20 && asked.contains("CIPHER_KEYS_OLD"));
    assert_eq!(listed, asked);
}

/// Other pages may only mention keys that exist.
#[test]
fn every_key_that_a_page_speaks_of_is_in_the_table() {
    let of_others = ["POSTGRES_ENABLE_DB_FUNCTIONS", NO_COLOR];
    let mut spoken = 0;
    for (page, text) in pages() {
        for key in text.split('`').filter(|text| is_key(text)) {
            let is_listed = KEYS.iter().any(|listed| {
                let prefix = key.strip_suffix(listed.name);
                prefix.is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('_'))
            });
            let is_another = of_others.contains(&key) || key.starts_with("ES_");
            assert!(is_listed || is_another, "{page}: {key}");
            spoken += 1;
        }
    }
    assert!(spoken > 60, "{spoken}");
}

/// Returns the Markdown files that people read, by their path from the root, with their text.
fn pages() -> Vec<(String, String)> {
    let folders = [".", "docs", "es-system/src/guide", "es-macros/doc"];
    let mut pages = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(root().join(folder)).expect("a folder of pages") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|kind| kind == "md") {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let text = std::fs::read_to_string(&path).expect("a page");
                pages.push((format!("{folder}/{name}"), text));
            }
        }
    }
    pages
}

/// Returns the files to which a page links. `#place` and addresses elsewhere are cut off.
fn linked_files(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| Some(rest.split_once(')')?.0));
    let is_item = |target: &str| target.contains('@') || target.contains("::");
    let files = targets.filter(move |target| !target.starts_with("http") && !is_item(target));
    let files = files.map(|target| target.split('#').next().unwrap_or_default());
    files.filter(|file| !file.is_empty())
}

#[test]
fn every_file_that_is_linked_to_is_there() {
    let mut linked = 0;
    for (page, text) in pages() {
        let folder = root().join(&page);
        let folder = folder.parent().expect("a folder");
        for file in linked_files(&text) {
            assert!(folder.join(file).exists(), "{page}: {file}");
            linked += 1;
        }
    }
    assert!(linked > 30, "{linked}");
}

/// A reader of the README or of `docs/` finds every page of the guide.
#[test]
fn every_page_of_the_guide_is_linked_to_and_a_module_of_it() {
    let pages = pages();
    let text = |wanted: &str| {
        let mut found = pages.iter().filter(|(page, _)| page == wanted);
        &found.next().expect("there").1
    };
    let source = |path: &str| std::fs::read_to_string(root().join(path)).expect("a source");
    let modules = source("es-system/src/guide.rs");
    let links = source("es-system/src/guide/links.txt");
    let guide = pages
        .iter()
        .filter_map(|(page, _)| page.strip_prefix("es-system/src/guide/"));
    for page in guide {
        let from_root = format!("](es-system/src/guide/{page})");
        assert!(text("./README.md").contains(&from_root), "{page}");
        let from_docs = format!("](../es-system/src/guide/{page})");
        assert!(text("docs/README.md").contains(&from_docs), "{page}");
        let module = page.trim_end_matches(".md");
        assert!(modules.contains(&format!("page!({module});")), "{page}");
        let definition = format!("[{module}]: crate::guide::{module}\n");
        assert!(links.contains(&definition), "links.txt lacks {module}");
        assert!(!text(&format!("es-system/src/guide/{page}")).contains("(crate::guide::"));
    }
}

/// Tables, code, and lines of one word such as a link have any length.
#[test]
fn lines_of_prose_have_at_most_100_columns() {
    for (page, text) in pages() {
        let is_code = |part: usize| part % 2 == 1;
        let prose = text.split("```").enumerate();
        let prose = prose.filter(|(part, _)| !is_code(*part));
        for line in prose.flat_map(|(_, part)| part.lines()) {
            let is_fixed = line.trim_start().starts_with('|') || !line.trim().contains(' ');
            let columns = line.chars().count();
            assert!(
                is_fixed || columns <= 100,
                "{page}: {columns} columns: {line}"
            );
        }
    }
}

/// A promise without a test that can fail does not count.
#[test]
fn every_test_that_a_promise_names_is_there() {
    let folders = [
        "examples",
        "tests",
        "es-store/tests",
        "es-store/src",
        "es-system/src",
    ];
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
    let paragraphs = PROMISES.split("\n\n").skip(2);
    let is_promise = |text: &&str| !text.trim().is_empty() && !is_definitions_of_links(text);
    for promise in paragraphs.filter(is_promise) {
        assert!(promise.contains("\n*Shown by* "), "{promise}");
    }
}

fn is_definitions_of_links(text: &str) -> bool {
    text.trim().lines().all(|line| line.contains("]: "))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of sources");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let of = |path: PathBuf| {
        if path.is_dir() {
            rust_files(&path)
        } else {
            vec![path]
        }
    };
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|of| of == "rs");
    paths.flat_map(of).filter(is_rust).collect()
}

/// Returns the statements of a guide's blocks of SQL.
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
    assert_eq!(statements.len(), 7);
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
    // Without a gap before the events, a copy with new positions would look the same.
    run("DELETE FROM stored_events WHERE rowid < 3");
    let statement = "VACUUM INTO 'copy.sqlite'";
    let target = dir.path().join("copy.sqlite");
    assert!(OPERATING.contains(statement));
    run(&statement.replace("copy.sqlite", &target.to_string_lossy()));

    let copied = files(dir.path()).with("DOGSCHOOL_SQLITE_DBNAME", target.to_string_lossy());
    let log = DogSchool::new(copied)?.notification_log().select(1, 10)?;
    let positions: Vec<_> = log.iter().map(|event| event.id).collect();
    assert_eq!(positions, [3]);
    Ok(())
}
