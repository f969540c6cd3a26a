//! The tables: Python's, exactly as it makes them, and a few of our own beside them.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::label::Label;
use crate::{Role, StoreError};

/// The version of our own tables.
const FORMAT: &str = "1";

/// A table that there must be.
struct Table {
    name: &'static str,
    sql: &'static str,
    /// Whether only followers have it.
    of_followers: bool,
    /// Whether a database that can only be read is of use without it.
    can_lack: bool,
    /// Whether any database is of use without it: a snapshot only saves work.
    is_optional: bool,
}

/// Python makes it when its snapshots are switched on; here it is always made with the others, so that switching them on
/// changes no table.
const SNAPSHOTS: &str = "stored_snapshots";

const TABLES: [Table; 6] = [
    Table {
        name: "stored_events",
        sql: "CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT, \
              state BLOB, PRIMARY KEY (originator_id, originator_version))",
        of_followers: false,
        can_lack: false,
        is_optional: false,
    },
    Table {
        name: SNAPSHOTS,
        sql: "CREATE TABLE stored_snapshots (originator_id TEXT, originator_version INTEGER, topic TEXT, \
              state BLOB, PRIMARY KEY (originator_id, originator_version)) WITHOUT ROWID",
        of_followers: false,
        can_lack: true,
        is_optional: true,
    },
    Table {
        name: "tracking",
        sql: "CREATE TABLE tracking (application_name TEXT, notification_id INTEGER, \
              PRIMARY KEY (application_name)) WITHOUT ROWID",
        of_followers: true,
        can_lack: false,
        is_optional: false,
    },
    Table {
        name: "es_meta",
        sql: "CREATE TABLE es_meta (key TEXT, value TEXT, PRIMARY KEY (key)) WITHOUT ROWID",
        of_followers: false,
        can_lack: true,
        is_optional: false,
    },
    Table {
        name: "es_upstream",
        sql: "CREATE TABLE es_upstream (application_name TEXT, notification_id INTEGER, originator_id TEXT, \
              originator_version INTEGER, PRIMARY KEY (application_name)) WITHOUT ROWID",
        of_followers: true,
        can_lack: true,
        is_optional: false,
    },
    Table {
        name: "es_failures",
        sql: "CREATE TABLE es_failures (application_name TEXT, notification_id INTEGER, originator_id TEXT, \
              originator_version INTEGER, topic TEXT, error TEXT, attempts INTEGER, failed_on TEXT, \
              PRIMARY KEY (application_name, notification_id)) WITHOUT ROWID",
        of_followers: true,
        can_lack: true,
        is_optional: false,
    },
];

/// The names of all tables.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|table| table.name)
}

/// All statements, with the rows that must be there, to be run by hand.
pub(super) fn script(application: &str, role: Role) -> String {
    let wanted = |table: &&Table| role == Role::Follower || !table.of_followers;
    let tables = TABLES
        .iter()
        .filter(wanted)
        .map(|table| table.sql.to_owned());
    let meta = [("format", FORMAT), ("application", application)].map(|(key, value)| {
        format!(
            "INSERT INTO es_meta (key, value) VALUES ('{key}', '{}')",
            value.replace('\'', "''")
        )
    });
    let mark =
        "INSERT INTO tracking (application_name, notification_id) VALUES ('__migration__', 1)";
    let mark = (role == Role::Follower).then(|| mark.to_owned());
    tables
        .chain(meta)
        .chain(mark)
        .map(|statement| statement + ";\n")
        .collect()
}

/// What an application wants of a database.
pub(super) struct Wanted<'a> {
    pub(super) application: &'a str,
    pub(super) role: Role,
    pub(super) create: bool,
}

/// What a recorder must know of the tables that were found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layout {
    /// Tracking has a row for each position, as old versions of the Python library made it.
    pub(super) many_rows: bool,
    /// There is `es_upstream`.
    pub(super) has_upstream: bool,
    /// There is `stored_snapshots`.
    pub(super) has_snapshots: bool,
}

/// Creates what is missing, and checks that the database is the application's.
///
/// It looks first and writes only if something is missing; then it looks again inside the transaction, so any number
/// of processes may come at once, and the second finds what the first has made.
pub(super) fn prepare(
    connection: &mut Connection,
    label: &Label,
    wanted: &Wanted<'_>,
    read_only: bool,
) -> Result<Layout, StoreError> {
    let failed = |error| label.failed("reading the tables", error);
    let found = Found::look(connection, wanted).map_err(failed)?;
    found.check(label, wanted)?;
    if found.is_complete() {
        return Ok(found.layout());
    }
    let missing: Vec<_> = found
        .missing
        .iter()
        .filter(|table| !read_only || !table.can_lack)
        .collect();
    let names = || {
        missing
            .iter()
            .map(|table| format!("`{}`", table.name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    if read_only {
        let problem = || {
            format!(
                "it can only be read, and these tables are missing: {}",
                names()
            )
        };
        return if missing.is_empty() {
            Ok(found.layout())
        } else {
            Err(label.misconfigured(problem()))
        };
    }
    if !wanted.create && !missing.is_empty() {
        let problem = format!(
            "CREATE_TABLE is off, and these tables are missing: {}",
            names()
        );
        return Err(label.misconfigured(problem));
    }
    create(connection, label, wanted)
}

fn create(
    connection: &mut Connection,
    label: &Label,
    wanted: &Wanted<'_>,
) -> Result<Layout, StoreError> {
    let failed = |error| label.failed("creating tables", error);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let found = Found::look(&transaction, wanted).map_err(failed)?;
    found.check(label, wanted)?;
    found.complete(&transaction, wanted).map_err(failed)?;
    let found = Found::look(&transaction, wanted).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(found.layout())
}

/// What was found in a database.
struct Found {
    missing: Vec<&'static Table>,
    /// Columns of events and snapshots that are needed and not there, with their table.
    lacking: Vec<(&'static str, &'static str)>,
    meta: HashMap<String, String>,
    many_rows: bool,
    /// Whether tracking has the row without which Python would rebuild it; true if there is no tracking.
    is_marked: bool,
    has_upstream: bool,
    has_snapshots: bool,
}

impl Found {
    fn look(connection: &Connection, wanted: &Wanted<'_>) -> rusqlite::Result<Self> {
        let names = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')";
        let there: HashSet<String> = connection
            .prepare(names)?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let is_wanted = |table: &&Table| {
            (wanted.role == Role::Follower || !table.of_followers)
                && (wanted.create || !table.is_optional)
        };
        let missing = TABLES
            .iter()
            .filter(is_wanted)
            .filter(|table| !there.contains(table.name))
            .collect();
        let follows = wanted.role == Role::Follower && there.contains("tracking");
        let many_rows = follows && key_columns(connection, "tracking")? > 1;
        Ok(Self {
            missing,
            lacking: lacking_columns(connection, &there)?,
            meta: if there.contains("es_meta") {
                meta(connection)?
            } else {
                HashMap::new()
            },
            many_rows,
            is_marked: !follows || many_rows || is_marked(connection)?,
            has_upstream: there.contains("es_upstream"),
            has_snapshots: there.contains(SNAPSHOTS),
        })
    }

    fn is_complete(&self) -> bool {
        self.missing.is_empty()
            && self.is_marked
            && ["format", "application"]
                .iter()
                .all(|key| self.meta.contains_key(*key))
    }

    fn layout(&self) -> Layout {
        Layout {
            many_rows: self.many_rows,
            has_upstream: self.has_upstream,
            has_snapshots: self.has_snapshots,
        }
    }

    fn check(&self, label: &Label, wanted: &Wanted<'_>) -> Result<(), StoreError> {
        if let Some((table, column)) = self.lacking.first() {
            return Err(
                label.misconfigured(format!("the table `{table}` has no column `{column}`"))
            );
        }
        if let Some(format) = self.meta.get("format").filter(|format| *format != FORMAT) {
            let problem =
                format!("its tables have format {format}, and this program knows {FORMAT}");
            return Err(label.misconfigured(problem));
        }
        match self.meta.get("application") {
            Some(owner) if owner != wanted.application => Err(label.misconfigured(format!(
                "it belongs to the application `{owner}`; `{}` needs a database of its own",
                wanted.application
            ))),
            _ => Ok(()),
        }
    }

    fn complete(&self, connection: &Connection, wanted: &Wanted<'_>) -> rusqlite::Result<()> {
        for table in &self.missing {
            connection.execute(table.sql, [])?;
        }
        let follows = wanted.role == Role::Follower;
        if follows && !self.many_rows {
            let mark = "INSERT OR IGNORE INTO tracking (application_name, notification_id) VALUES ('__migration__', 1)";
            connection.execute(mark, [])?;
        }
        for (key, value) in [("format", FORMAT), ("application", wanted.application)] {
            connection.execute(
                "INSERT OR IGNORE INTO es_meta (key, value) VALUES (?1, ?2)",
                params![key, value],
            )?;
        }
        Ok(())
    }
}

fn key_columns(connection: &Connection, table: &str) -> rusqlite::Result<i64> {
    connection.query_row(
        "SELECT count(*) FROM pragma_table_info(?1) WHERE pk > 0",
        [table],
        |row| row.get(0),
    )
}

fn lacking_columns(
    connection: &Connection,
    there: &HashSet<String>,
) -> rusqlite::Result<Vec<(&'static str, &'static str)>> {
    const NEEDED: [&str; 4] = ["originator_id", "originator_version", "topic", "state"];
    let mut lacking = Vec::new();
    for table in ["stored_events", SNAPSHOTS] {
        let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
        let found: HashSet<String> = statement
            .query_map([table], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let missing = NEEDED.iter().filter(|column| !found.contains(**column));
        if there.contains(table) {
            lacking.extend(missing.map(|column| (table, *column)));
        }
    }
    Ok(lacking)
}

fn meta(connection: &Connection) -> rusqlite::Result<HashMap<String, String>> {
    let mut statement = connection.prepare("SELECT key, value FROM es_meta")?;
    statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

fn is_marked(connection: &Connection) -> rusqlite::Result<bool> {
    let mark = "SELECT 1 FROM tracking WHERE application_name = '__migration__'";
    Ok(connection
        .query_row(mark, [], |_| Ok(()))
        .optional()?
        .is_some())
}
