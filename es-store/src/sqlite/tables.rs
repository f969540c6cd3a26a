//! The statements that create the tables: Python's, exactly as Python creates them, and a few of
//! the library's own.

use crate::role::Role;
use crate::sql::names::{AsideNames, TableNames, literal};
use crate::sql::schema::{MIGRATION_MARK, meta_rows};

/// A table of the database.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
    /// The statements that create its further indexes.
    pub(super) indexes: &'static [&'static str],
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

/// The table of the events that are set aside.
pub(super) const FAILURES: &str = "es_failures";

/// The table of the operations on a follower.
pub(super) const OPERATIONS: &str = "es_operations";

pub(super) const TABLES: [Table; 8] = [
    Table {
        name: "stored_events",
        sql: "CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT, \
              state BLOB, PRIMARY KEY (originator_id, originator_version))",
        indexes: &[],
        of_followers: false,
        can_lack: false,
        is_optional: false,
    },
    Table {
        name: SNAPSHOTS,
        sql: "CREATE TABLE stored_snapshots (originator_id TEXT, originator_version INTEGER, topic TEXT, \
              state BLOB, PRIMARY KEY (originator_id, originator_version)) WITHOUT ROWID",
        indexes: &[],
        of_followers: false,
        can_lack: true,
        is_optional: true,
    },
    Table {
        name: "tracking",
        sql: "CREATE TABLE tracking (application_name TEXT, notification_id INTEGER, \
              PRIMARY KEY (application_name)) WITHOUT ROWID",
        indexes: &[],
        of_followers: true,
        can_lack: false,
        is_optional: false,
    },
    Table {
        name: "es_meta",
        sql: "CREATE TABLE es_meta (key TEXT, value TEXT, PRIMARY KEY (key)) WITHOUT ROWID",
        indexes: &[],
        of_followers: false,
        can_lack: true,
        is_optional: false,
    },
    Table {
        name: "es_upstream",
        sql: "CREATE TABLE es_upstream (application_name TEXT, notification_id INTEGER, originator_id TEXT, \
              originator_version INTEGER, identity TEXT, identity_at INTEGER, policies TEXT, policies_at INTEGER, \
              PRIMARY KEY (application_name)) WITHOUT ROWID",
        indexes: &[],
        of_followers: true,
        can_lack: true,
        is_optional: false,
    },
    Table {
        name: "es_policies",
        sql: "CREATE TABLE es_policies (upstream TEXT, topic TEXT, covered INTEGER, \
              PRIMARY KEY (upstream, topic)) WITHOUT ROWID",
        indexes: &[],
        of_followers: true,
        can_lack: true,
        is_optional: false,
    },
    Table {
        name: FAILURES,
        sql: "CREATE TABLE es_failures (upstream TEXT, position INTEGER, sequence TEXT, originator_id TEXT, \
              originator_version INTEGER, topic TEXT, identity TEXT, attempts INTEGER, due INTEGER, first_at INTEGER, \
              last_at INTEGER, error TEXT, decision TEXT, decided_by TEXT, decided_at INTEGER, \
              PRIMARY KEY (upstream, position)) WITHOUT ROWID",
        indexes: &[
            "CREATE INDEX es_failures_waiting ON es_failures (upstream, sequence, position, due) WHERE decision IS NULL",
        ],
        of_followers: true,
        can_lack: true,
        is_optional: false,
    },
    Table {
        name: OPERATIONS,
        sql: "CREATE TABLE es_operations (id INTEGER, kind TEXT, upstream TEXT, position INTEGER, \
              happened_at INTEGER, who TEXT, detail TEXT, PRIMARY KEY (id))",
        indexes: &[
            "CREATE INDEX es_operations_standing ON es_operations (upstream, id) WHERE kind IN ('paused', 'resumed')",
            "CREATE INDEX es_operations_stopped ON es_operations (upstream, id) WHERE kind = 'stopped'",
            "CREATE INDEX es_operations_began ON es_operations (upstream, id) WHERE kind = 'began'",
        ],
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

impl Table {
    /// Returns true if only rules that set events aside need it.
    pub(super) fn is_of_aside(&self) -> bool {
        [FAILURES, OPERATIONS].contains(&self.name)
    }

    /// Returns the statements that create it.
    pub(super) fn statements(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.sql).chain(self.indexes.iter().copied())
    }
}

/// Returns the names of the tables of what is set aside.
pub(super) fn aside_names() -> AsideNames {
    AsideNames {
        failures: FAILURES.to_owned(),
        operations: OPERATIONS.to_owned(),
        meta: "es_meta".to_owned(),
    }
}

/// Returns the names of the library's own tables, with or without those of what is set aside.
pub(super) fn table_names(has_aside: bool) -> TableNames {
    TableNames {
        tracking: "tracking".to_owned(),
        upstream: "es_upstream".to_owned(),
        policies: "es_policies".to_owned(),
        meta: "es_meta".to_owned(),
        aside: has_aside.then(aside_names),
        schema: None,
        taken: names().map(str::to_owned).collect(),
        longest: usize::MAX,
    }
}

/// Returns the names of all tables.
fn names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|table| table.name)
}

/// Returns all statements, with those that insert the required rows, to be run by hand.
pub(super) fn script(application: &str, role: Role) -> String {
    let is_wanted = |table: &&Table| role == Role::Follower || !table.of_followers;
    let tables = TABLES.iter().filter(is_wanted);
    let tables = tables.flat_map(Table::statements).map(str::to_owned);
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
