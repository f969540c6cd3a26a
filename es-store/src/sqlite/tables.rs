//! The statements that create the tables: Python's, exactly as Python creates them, and a few of
//! the library's own.

use crate::role::Role;
use crate::sql::names::literal;
use crate::sql::schema::{MIGRATION_MARK, meta_rows};

/// A table of the database.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
    /// True if only followers have it.
    pub(super) of_followers: bool,
    /// True if a read-only database can be used without it.
    pub(super) can_lack: bool,
    /// True if any database can be used without it, because a snapshot only saves work.
    pub(super) is_optional: bool,
}

/// The table of snapshots. Python creates it when snapshots are switched on. Here it is always
/// created with the others, so that the switch changes no tables.
pub(super) const SNAPSHOTS: &str = "stored_snapshots";

pub(super) const TABLES: [Table; 7] = [
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
              originator_version INTEGER, identity TEXT, identity_at INTEGER, policies TEXT, policies_at INTEGER, \
              PRIMARY KEY (application_name)) WITHOUT ROWID",
        of_followers: true,
        can_lack: true,
        is_optional: false,
    },
    Table {
        name: "es_policies",
        sql: "CREATE TABLE es_policies (upstream TEXT, topic TEXT, covered INTEGER, \
              PRIMARY KEY (upstream, topic)) WITHOUT ROWID",
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

/// The columns of `es_upstream` that databases of earlier releases lack, with their types.
pub(super) const ADDED_COLUMNS: [(&str, &str); 4] = [
    ("identity", "TEXT"),
    ("identity_at", "INTEGER"),
    ("policies", "TEXT"),
    ("policies_at", "INTEGER"),
];

/// Returns the statement that adds one of [`ADDED_COLUMNS`].
pub(super) fn add_column((name, kind): (&str, &str)) -> String {
    format!("ALTER TABLE es_upstream ADD COLUMN {name} {kind}")
}

/// Returns the names of all tables.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|table| table.name)
}

/// Returns all statements, with those that insert the required rows, to be run by hand.
pub(super) fn script(application: &str, role: Role) -> String {
    let is_wanted = |table: &&Table| role == Role::Follower || !table.of_followers;
    let tables = TABLES.iter().filter(is_wanted);
    let tables = tables.map(|table| table.sql.to_owned());
    let settings = meta_rows(application).map(|(key, value)| {
        let value = literal(value);
        format!("INSERT INTO es_meta (key, value) VALUES ('{key}', {value})")
    });
    let mark = format!(
        "INSERT INTO tracking (application_name, notification_id) VALUES ('{MIGRATION_MARK}', 1)"
    );
    let mark = (role == Role::Follower).then_some(mark);
    let statements = tables.chain(settings).chain(mark);
    statements.map(|statement| statement + ";\n").collect()
}
