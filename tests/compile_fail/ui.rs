//! The messages of the attributes about code that they do not accept. Each file under `ui` is one
//! mistake, and its name tells which. The `.stderr` file beside it is the message that
//! the user reads.
//!
//! `TRYBUILD=overwrite cargo test -p compile-fail` rewrites the messages, which then need a
//! critical reading, and `docs/compiler-messages.md`, which quotes them.

use std::path::{Path, PathBuf};

/// The folders of mistakes, by attribute, in the order of the page.
const ATTRIBUTES: [(&str, &str); 10] = [
    ("aggregate", "`#[aggregate]`"),
    ("event", "`#[event]`"),
    ("id", "`#[id]`"),
    ("application", "`#[application]`"),
    ("process_application", "`#[process_application]`"),
    ("policy", "`#[policy]`"),
    ("projection", "`#[projection]`"),
    ("pipes", "`pipes!`"),
    ("transcoding", "`transcoding!`"),
    ("testing", "Tests of a domain"),
];

#[test]
fn every_mistake_has_its_message() {
    // Without a case that is run, trybuild compiles all of them at once, and only checks them.
    let mistakes = trybuild::TestCases::new();
    for (folder, _) in ATTRIBUTES {
        mistakes.compile_fail(format!("ui/{folder}/*.rs"));
    }
}

#[test]
fn there_are_at_least_two_hundred_mistakes_and_none_is_left_out() {
    let mistakes: usize = ATTRIBUTES
        .map(|(folder, _)| files(folder, "rs").len())
        .iter()
        .sum();
    assert!(mistakes >= 200, "{mistakes}");
    let folders = std::fs::read_dir(ui())
        .expect("the folder is there")
        .count();
    assert_eq!(folders, ATTRIBUTES.len() + 1, "a folder is not in the list");
}

/// rustc shows lines of the standard library if its source is installed (component `rust-src`), and
/// only their place if it is not. A message that has one differs from machine to machine.
#[test]
fn no_message_quotes_the_standard_library() {
    for (folder, _) in ATTRIBUTES {
        for file in files(folder, "stderr") {
            let message = std::fs::read_to_string(&file).expect("a message");
            assert!(!message.contains("$RUST"), "{}", file.display());
        }
    }
}

#[test]
fn the_page_of_messages_quotes_them_all() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compiler-messages.md");
    let quoted = messages();
    if std::env::var("TRYBUILD").is_ok_and(|value| value == "overwrite") {
        std::fs::write(&page, &quoted).expect("the page can be written");
    }
    let found = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        found == quoted,
        "docs/compiler-messages.md is not what the `.stderr` files say: run `TRYBUILD=overwrite cargo test -p compile-fail`"
    );
}

/// Returns the page: a heading for each attribute, and the name and the message of each mistake.
fn messages() -> String {
    let mut page = "# What the compiler tells you\n\n\
                    Each mistake is a file of the compile-fail tests. This page quotes its message, \
                    and is generated.\n"
        .to_owned();
    for (folder, title) in ATTRIBUTES {
        page += &format!("\n## {title}\n");
        for file in files(folder, "stderr") {
            let name = file
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .replace('_', " ");
            let said = std::fs::read_to_string(&file).expect("a message");
            page += &format!("\n### {name}\n\n```text\n{}\n```\n", said.trim_end());
        }
    }
    page
}

fn ui() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ui")
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(ui().join(folder)).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|of| of == extension))
        .collect();
    files.sort();
    files
}
