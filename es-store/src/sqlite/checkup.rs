//! The examination of a database.

use std::fs::OpenOptions;

use rusqlite::Connection;

use super::codes;
use super::database::Database;
use super::location;
use crate::checkup::{Checkup, TopicCount, Verdict};
use crate::error::StoreError;
use crate::sql::label::Label;

/// A topic that is not text is damage, which is reported where its row is read.
const TOPICS: &str = "SELECT topic, count(*), max(rowid) FROM stored_events WHERE typeof(topic) = 'text' \
                      GROUP BY topic ORDER BY topic";

/// Counts the topics of the log.
pub(super) fn topics(
    connection: &Connection,
    label: &Label,
) -> Result<Vec<TopicCount>, StoreError> {
    let read = || -> rusqlite::Result<_> {
        let mut statement = connection.prepare(TOPICS)?;
        let count = |row: &rusqlite::Row<'_>| {
            let (topic, count, last): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(TopicCount::new(
                topic,
                count.unsigned_abs(),
                last.unsigned_abs(),
            ))
        };
        statement.query_map([], count)?.collect()
    };
    read().map_err(|error| codes::failed(label, "reading the topics", error))
}

/// Examines the database and its file.
pub(super) fn examine(database: &Database) -> Checkup {
    let mut checkup = Checkup::default();
    if database.file.is_none() {
        let found = "the database is in memory, and ends with its program";
        checkup.add("storage", Verdict::ok(found));
        return checkup;
    }
    checkup.add("privileges", may_write(database));
    checkup.add("storage", is_intact(database));
    checkup.add("flushes", journal(database));
    checkup
}

fn may_write(database: &Database) -> Verdict {
    let path = location::path(&database.options.name);
    let repair = format!(
        "let the user of this program write `{}` and its folder",
        path.display()
    );
    if database.read_only {
        return Verdict::problem("the file can only be read", repair);
    }
    // Opening changes nothing, and is refused as a write would be.
    match OpenOptions::new().append(true).open(path) {
        Ok(_) => Verdict::ok("the file can be written"),
        Err(error) => Verdict::problem(format!("the file cannot be written: {error}"), repair),
    }
}

fn is_intact(database: &Database) -> Verdict {
    let checked = database.read(|connection| {
        let check = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
        check.map_err(|error| codes::failed(&database.label, "checking the file", error))
    });
    let repair = "restore the file from a backup, and its followers to the same moment";
    match checked {
        Ok(found) if found == "ok" => Verdict::ok("the file is intact (quick_check)"),
        Ok(found) => {
            let found: String = found;
            Verdict::problem(format!("the file is damaged: {found}"), repair)
        }
        Err(error) => Verdict::problem(es_core::error_chain(&error).to_string(), repair),
    }
}

fn journal(database: &Database) -> Verdict {
    let mode = database.read(|connection| {
        let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get(0));
        mode.map_err(|error| codes::failed(&database.label, "reading a setting", error))
    });
    match mode {
        Ok(mode) if mode == "wal" => {
            Verdict::ok("the file is in WAL mode, and flushed at each commit")
        }
        Ok(mode) => {
            let mode: String = mode;
            Verdict::problem(
                format!("the journal mode is `{mode}`: readers and writers wait for each other"),
                "put the file on a local disk, where WAL mode works",
            )
        }
        Err(error) => Verdict::unknown(es_core::error_chain(&error).to_string()),
    }
}
