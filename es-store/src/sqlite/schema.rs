//! The tables of a database: missing ones are created, and those of another application are
//! refused.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::codes;
use super::former::{FORMER_ROWS, FormerFailures};
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
    let reason = if read_only {
        "it can only be read"
    } else {
        "CREATE_TABLE is off"
    };
    if found.is_complete() {
        return Ok(found.into_layout(reason));
    }
    let may_add = wanted.create || found.missing.is_empty() && found.missing_columns.is_empty();
    if !read_only && may_add {
        return create(connection, label, wanted, reason);
    }
    let missing = found.missing.iter();
    let mut needed: Vec<_> = missing
        .filter(|table| !read_only || !table.can_lack)
        .collect();
    let is_usable = read_only || found.missing_columns.is_empty();
    if needed.is_empty() && is_usable {
        return Ok(found.into_layout(reason));
    }
    // Who creates the others by hand needs them for a rule later on.
    needed.extend(found.missing_aside.iter().filter(|_| !read_only));
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
    reason: &str,
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
    Ok(found.into_layout(reason))
}

fn look(connection: &Connection, label: &Label, wanted: &Wanted<'_>) -> Result<Found, StoreError> {
    let found = Found::look(connection, wanted);
    found.map_err(|error| codes::failed(label, "reading the tables", error))
}

/// The tables that were found in a database.
struct Found {
    /// The missing tables that are needed, or may be created.
    missing: Vec<&'static Table>,
    /// The missing tables of what is set aside.
    missing_aside: Vec<&'static Table>,
    /// The columns that the table `es_upstream` lacks, if it exists.
    missing_columns: Vec<(&'static str, &'static str)>,
    /// The columns of the tables of events and of snapshots, as far as they exist.
    columns: Vec<(&'static str, HashSet<String>)>,
    meta: HashMap<String, String>,
    /// True if tracking has the row without which Python would create the table anew, or needs
    /// none.
    is_marked: bool,
    former: Option<FormerFailures>,
    /// True if today's table is put in the place of the former one.
    may_replace: bool,
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
            aside_problem: None,
        };
        let mut meta = HashMap::new();
        if there.contains("es_meta") {
            meta = read_meta(connection)?;
        }
        let mut missing: Vec<_> = TABLES.iter().filter(is_wanted).collect();
        missing.retain(|table| !there.contains(table.name));
        let mut missing_aside = missing.clone();
        missing_aside.retain(|table| table.is_of_aside());
        missing.retain(|table| wanted.create || !table.is_of_aside());
        let with_states = ["stored_events", SNAPSHOTS].into_iter();
        Ok(Self {
            missing,
            missing_aside,
            missing_columns,
            columns: with_states
                .filter(|table| there.contains(*table))
                .map(|table| Ok((table, columns(connection, table)?)))
                .collect::<rusqlite::Result<_>>()?,
            meta,
            is_marked: !follows || layout.has_row_per_position || is_marked(connection)?,
            may_replace: wanted.create && former.as_ref().is_some_and(|one| one.is_empty),
            former,
            layout,
        })
    }

    fn is_complete(&self) -> bool {
        self.missing.is_empty()
            && self.missing_columns.is_empty()
            && !self.may_replace
            && self.is_marked
            && missing_meta(&self.meta).next().is_none()
    }

    /// Returns the layout. `reason` tells why missing tables are not created.
    fn into_layout(self, reason: &str) -> Layout {
        let missing = self.missing_aside.iter();
        let missing = missing.flat_map(|table| table.statements());
        let former = self.former.iter().flat_map(|_| FormerFailures::replace());
        let statements = missing.chain(former).collect::<Vec<_>>().join("; ");
        let reason = match &self.former {
            Some(former) if !former.is_empty => FORMER_ROWS,
            _ => reason,
        };
        let problem = format!(
            "{reason}, and events cannot be set aside without tables that are missing. Execute: {statements}"
        );
        Layout {
            aside_problem: (!statements.is_empty()).then_some(problem),
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
        if self.may_replace {
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
