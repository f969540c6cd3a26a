//! The tables of a database: missing ones are created, and those of another application are
//! refused.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::codes;
use super::former::FormerFailures;
use super::tables::{ADDED_COLUMNS, FAILURES, SNAPSHOTS, TABLES, Table, add_column};
use crate::error::StoreError;
use crate::role::Role;
use crate::sql::label::Label;
use crate::sql::schema::{MIGRATION_MARK, check_columns, check_meta, meta_rows, missing_meta};

/// The requirements of an application.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The name of the application.
    pub(super) application: &'a str,
    pub(super) role: Role,
    /// True if missing tables are created.
    pub(super) create: bool,
}

impl Wanted<'_> {
    /// Returns true if the application follows others, and so needs the tables of followers.
    pub(super) fn follows(&self) -> bool {
        self.role == Role::Follower
    }
}

/// The properties of the tables that a recorder must know.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    /// True if tracking has the form of an old version of the Python library.
    pub(super) has_row_per_position: bool,
    /// True if the tables can record an upstream's event and policies.
    pub(super) has_policies: bool,
    /// True if the table `stored_snapshots` exists.
    pub(super) has_snapshots: bool,
    /// The reason why events cannot be set aside, and the statements that make it possible; `None`
    /// if they can.
    pub(super) aside_problem: Option<String>,
}

/// Creates missing tables, and checks that the database belongs to the application.
///
/// It writes only if something is missing. Then it looks again inside the transaction, so any
/// number of processes may do this at once: the second one finds what the first one has created.
pub(super) fn prepare(
    connection: &mut Connection,
    label: &Label,
    wanted: &Wanted<'_>,
    read_only: bool,
) -> Result<Layout, StoreError> {
    let found = look(connection, label, wanted)?;
    found.check(label, wanted)?;
    if found.is_complete() {
        return Ok(found.layout);
    }
    let may_add = wanted.create || found.has_all_tables();
    if !read_only && may_add {
        return create(connection, label, wanted);
    }
    let missing = found.missing.iter();
    let needed: Vec<_> = missing
        .filter(|table| !read_only || !table.can_lack)
        .collect();
    let is_usable = read_only || found.missing_columns.is_empty();
    let reason = if read_only {
        "it can only be read"
    } else {
        "CREATE_TABLE is off"
    };
    if needed.iter().all(|table| table.is_of_aside()) && is_usable {
        return Ok(found.without_aside(reason));
    }
    Err(label.misconfigured(if is_usable {
        let names = needed.iter().map(|table| format!("`{}`", table.name));
        let names = names.collect::<Vec<_>>().join(", ");
        format!("{reason}, and these tables are missing: {names}")
    } else {
        let tables = needed.iter().flat_map(|table| table.statements());
        let tables = tables.map(str::to_owned);
        let columns = found.missing_columns.iter().map(|one| add_column(*one));
        let statements = tables.chain(columns).collect::<Vec<_>>().join("; ");
        format!("{reason}, and its tables are those of an earlier release. Execute: {statements}")
    }))
}

fn create(
    connection: &mut Connection,
    label: &Label,
    wanted: &Wanted<'_>,
) -> Result<Layout, StoreError> {
    let failed = |error| codes::failed(label, "creating tables", error);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let found = look(&transaction, label, wanted)?;
    found.check(label, wanted)?;
    found.complete(&transaction, wanted).map_err(failed)?;
    let found = look(&transaction, label, wanted)?;
    transaction.commit().map_err(failed)?;
    Ok(found.layout)
}

fn look(connection: &Connection, label: &Label, wanted: &Wanted<'_>) -> Result<Found, StoreError> {
    let found = Found::look(connection, wanted);
    found.map_err(|error| codes::failed(label, "reading the tables", error))
}

/// The tables that were found in a database.
struct Found {
    missing: Vec<&'static Table>,
    /// The columns that the table `es_upstream` lacks, if it exists.
    missing_columns: Vec<(&'static str, &'static str)>,
    /// The columns of the tables of events and of snapshots, as far as they exist.
    columns: Vec<(&'static str, HashSet<String>)>,
    meta: HashMap<String, String>,
    /// True if tracking has the row without which Python would create the table anew, or needs
    /// none.
    is_marked: bool,
    former: Option<FormerFailures>,
    layout: Layout,
}

impl Found {
    fn look(connection: &Connection, wanted: &Wanted<'_>) -> rusqlite::Result<Self> {
        let tables = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')";
        let there: HashSet<String> = connection
            .prepare(tables)?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let is_wanted = |table: &&Table| {
            (wanted.follows() || !table.of_followers) && (wanted.create || !table.is_optional)
        };
        let follows = wanted.follows() && there.contains("tracking");
        let has_row_per_position = follows && key_columns(connection, "tracking")? > 1;
        let mut missing_columns = Vec::new();
        if wanted.follows() && there.contains("es_upstream") {
            let columns = columns(connection, "es_upstream")?;
            missing_columns.extend(ADDED_COLUMNS);
            missing_columns.retain(|(name, _)| !columns.contains(*name));
        }
        let former = if wanted.follows() && there.contains(FAILURES) {
            FormerFailures::look(connection)?
        } else {
            None
        };
        let layout = Layout {
            has_row_per_position,
            has_policies: there.contains("es_policies")
                && there.contains("es_upstream")
                && !has_row_per_position
                && missing_columns.is_empty(),
            has_snapshots: there.contains(SNAPSHOTS),
            aside_problem: former.as_ref().and_then(FormerFailures::problem),
        };
        let mut meta = HashMap::new();
        if there.contains("es_meta") {
            meta = read_meta(connection)?;
        }
        let with_states = ["stored_events", SNAPSHOTS].into_iter();
        Ok(Self {
            missing: TABLES
                .iter()
                .filter(is_wanted)
                .filter(|table| !there.contains(table.name))
                .collect(),
            missing_columns,
            columns: with_states
                .filter(|table| there.contains(*table))
                .map(|table| Ok((table, columns(connection, table)?)))
                .collect::<rusqlite::Result<_>>()?,
            meta,
            is_marked: !follows || layout.has_row_per_position || is_marked(connection)?,
            former,
            layout,
        })
    }

    fn is_complete(&self) -> bool {
        self.has_all_tables() && self.is_marked && missing_meta(&self.meta).next().is_none()
    }

    /// Returns true if no table is missing or lacks a column, but for one that is never changed.
    fn has_all_tables(&self) -> bool {
        let may_replace = self.former.as_ref().is_some_and(|former| former.is_empty);
        self.missing.is_empty() && self.missing_columns.is_empty() && !may_replace
    }

    /// Returns the layout of a database whose tables of what is set aside cannot be created for
    /// this reason.
    fn without_aside(self, reason: &str) -> Layout {
        let missing = self.missing.iter().filter(|table| table.is_of_aside());
        let missing = missing.flat_map(|table| table.statements());
        let former = self.former.iter().flat_map(|_| FormerFailures::replace());
        let statements = missing.chain(former).collect::<Vec<_>>().join("; ");
        let problem = (!statements.is_empty()).then(|| {
            format!("{reason}, and events cannot be set aside without tables that are missing. Execute: {statements}")
        });
        Layout {
            aside_problem: self.layout.aside_problem.clone().or(problem),
            ..self.layout
        }
    }

    fn check(&self, label: &Label, wanted: &Wanted<'_>) -> Result<(), StoreError> {
        for (table, columns) in &self.columns {
            check_columns(label, table, |column| columns.contains(column))?;
        }
        let remedy = "a database of its own";
        check_meta(label, &self.meta, wanted.application, "it", remedy)
    }

    fn complete(&self, connection: &Connection, wanted: &Wanted<'_>) -> rusqlite::Result<()> {
        for statement in self.missing.iter().flat_map(|table| table.statements()) {
            connection.execute(statement, [])?;
        }
        if self.former.as_ref().is_some_and(|former| former.is_empty) {
            for statement in FormerFailures::replace() {
                connection.execute(statement, [])?;
            }
        }
        for column in &self.missing_columns {
            connection.execute(&add_column(*column), [])?;
        }
        if wanted.follows() && !self.layout.has_row_per_position {
            let mark =
                "INSERT OR IGNORE INTO tracking (application_name, notification_id) VALUES (?1, 1)";
            connection.execute(mark, [MIGRATION_MARK])?;
        }
        let setting = "INSERT OR IGNORE INTO es_meta (key, value) VALUES (?1, ?2)";
        for (key, value) in meta_rows(wanted.application) {
            connection.execute(setting, params![key, value])?;
        }
        Ok(())
    }
}

fn key_columns(connection: &Connection, table: &str) -> rusqlite::Result<i64> {
    let count = "SELECT count(*) FROM pragma_table_info(?1) WHERE pk > 0";
    connection.query_row(count, [table], |row| row.get(0))
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<HashSet<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

fn read_meta(connection: &Connection) -> rusqlite::Result<HashMap<String, String>> {
    let mut statement = connection.prepare("SELECT key, value FROM es_meta")?;
    statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

fn is_marked(connection: &Connection) -> rusqlite::Result<bool> {
    let mark = "SELECT 1 FROM tracking WHERE application_name = ?1";
    let found = connection.query_row(mark, [MIGRATION_MARK], |_| Ok(()));
    Ok(found.optional()?.is_some())
}
