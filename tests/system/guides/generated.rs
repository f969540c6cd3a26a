//! The parts of the guide that are generated from data of the library.
//!
//! A part is placed between two comments in its page. With `UPDATE_DOCS=1` it is written; otherwise
//! it is compared with the generated text.

use std::fmt::Write as _;

use es_store::{KEYS, Key, KeyScope};
use es_system::Env;
use es_system::store::{Role, ddl};

/// Compares the part of a page with `text`, or writes it.
fn check(page: &str, part: &str, text: &str) {
    let path = super::root().join("es-system/src/guide").join(page);
    let found = std::fs::read_to_string(&path).expect("the page is there");
    let (begin, end) = (
        format!("<!-- generated: {part} -->\n"),
        format!("<!-- end of {part} -->\n"),
    );
    let (before, rest) = found.split_once(&begin).expect("the part begins");
    let (old, after) = rest.split_once(&end).expect("the part ends");
    let text = format!("\n{text}\n");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let page = format!("{before}{begin}{text}{end}{after}");
        std::fs::write(&path, page).expect("the page can be written");
    } else {
        assert_eq!(
            old, text,
            "{page} is out of date: run `UPDATE_DOCS=1 cargo test -p tests --test system guides`"
        );
    }
}

fn key_table(scope: KeyScope) -> String {
    let mut table = format!(
        "## {}\n\n| key | what it sets | values | if it is not set |\n|---|---|---|---|\n",
        scope.title()
    );
    let rows = KEYS.iter().filter(|key| key.scope == scope);
    for Key {
        name,
        meaning,
        values,
        default,
        ..
    } in rows
    {
        writeln!(table, "| `{name}` | {meaning} | {values} | {default} |").expect("a text");
    }
    table
}

#[test]
fn the_page_on_the_environment_has_the_table_of_keys() {
    let tables = KeyScope::ALL.map(key_table);
    let rows: usize = tables
        .iter()
        .map(|table| table.matches("\n| `").count())
        .sum();
    assert_eq!(rows, KEYS.len(), "each key has a scope with a table");
    check("environment.md", "keys", tables.join("\n").trim_end());
}

/// Returns a statement with each of its columns on a line of its own.
fn in_lines(statement: &str) -> String {
    let Some((head, rest)) = statement.split_once(" (") else {
        return statement.to_owned();
    };
    let mut lines = format!("{head} (\n    ");
    let mut depth = 0;
    let mut rest = rest;
    while let Some(at) = rest.find(['(', ')', ',']) {
        let text = &rest[..at];
        let sign = &rest[at..=at];
        rest = &rest[at + 1..];
        lines += text;
        match sign {
            ")" if depth == 0 => return lines + "\n)" + rest,
            "," if depth == 0 => {
                lines += ",\n    ";
                rest = rest.trim_start();
            }
            sign => {
                depth += i32::from(sign == "(") - i32::from(sign == ")");
                lines += sign;
            }
        }
    }
    lines + rest
}

/// Returns the statements that create the tables of a follower, and the functions and indexes for
/// them.
fn tables(module: &str) -> String {
    let env = Env::new().with("PERSISTENCE_MODULE", module);
    let script = ddl("Counters", Role::Follower, &env).expect("printed");
    let created = script.lines().filter_map(|line| {
        let line = line.strip_suffix(';')?;
        let line = line.strip_prefix("DO $$ BEGIN ").unwrap_or(line);
        let statement = line.split("; EXCEPTION").next()?;
        let is_shown = [
            "CREATE TABLE",
            "CREATE TYPE",
            "CREATE UNIQUE INDEX",
            "CREATE INDEX",
        ]
        .iter()
        .any(|kind| statement.starts_with(kind));
        is_shown.then(|| format!("{};", in_lines(statement)))
    });
    let statements: Vec<_> = created.collect();
    assert!(statements.len() >= 5, "{script}");
    format!("```sql\n{}\n```", statements.join("\n\n"))
}

#[test]
fn the_page_on_the_format_has_the_statements_that_create_the_tables() {
    check("format.md", "SQLite's tables", &tables("sqlite"));
    check("format.md", "PostgreSQL's tables", &tables("postgres"));
}
