//! The tables: Python's, as it makes them, and a few of our own beside them.
//!
//! Concurrency: the catalogue is looked at first, and only what is missing is created, in a transaction that holds an advisory
//! lock, so programs of ours come one by one. The Python library does not take that lock; where it was quicker, creating
//! fails in one of a few ways, and all is looked at again.

use std::collections::{HashMap, HashSet};

use ::postgres::error::SqlState;
use ::postgres::{Client, Error, GenericClient};

use super::ddl::{self, FORMAT, Thing};
use super::names::Names;
use super::settings::Settings;
use crate::{Role, StoreError};

/// How often to look again when somebody else creates tables at the same time.
const LOOKS: usize = 50;

/// What an application wants of a database.
pub(super) struct Wanted<'a> {
    pub(super) application: &'a str,
    pub(super) role: Role,
    pub(super) settings: &'a Settings,
    pub(super) names: &'a Names,
}

/// What a recorder must know of the tables that were found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layout {
    /// Tracking has a row for each position, as old versions of the Python library made it.
    pub(super) many_rows: bool,
    /// There is the function that appends.
    pub(super) has_append: bool,
}

/// Creates what is missing, and checks that the tables are the application's.
pub(super) fn prepare(client: &mut Client, wanted: &Wanted<'_>) -> Result<Layout, StoreError> {
    let label = &wanted.settings.label;
    check_server(client, wanted)?;
    let mut made = false;
    for _ in 0..LOOKS {
        let found = Found::look(client, wanted)
            .map_err(|error| label.failed("reading the tables", error))?;
        found.check(wanted)?;
        if found.is_complete() && (made || found.has_append || !wanted.settings.create) {
            return Ok(found.layout());
        }
        if !wanted.settings.create {
            let missing = found.names_of_missing().join(", ");
            return Err(label.misconfigured(format!(
                "CREATE_TABLE is off, and this is missing in schema `{}`: {missing}",
                wanted.names.schema
            )));
        }
        match create(client, wanted) {
            Ok(()) => made = true,
            Err(Failed::Store(error)) => return Err(error),
            Err(Failed::Driver(error)) if is_somebody_elses(&error) => {}
            Err(Failed::Driver(error)) => return Err(label.failed("creating tables", error)),
        }
    }
    Err(label.misconfigured("somebody else keeps creating and removing the tables"))
}

/// Creates the table of snapshots, if it is missing; says whether there is one. Nobody needs it, so it is no error
/// that it may not be created.
pub(super) fn prepare_snapshots(
    client: &mut Client,
    settings: &Settings,
    names: &Names,
) -> Result<bool, StoreError> {
    let thing = ddl::snapshots(names);
    let failed = |error| settings.label.failed("creating tables", error);
    if has_table(client, names, &thing.name).map_err(failed)? {
        return Ok(true);
    }
    if !settings.create {
        return Ok(false);
    }
    match client.batch_execute(&thing.create) {
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(false),
        Err(error) if !is_somebody_elses(&error) => Err(failed(error)),
        _ => Ok(true),
    }
}

enum Failed {
    Driver(Error),
    Store(StoreError),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

fn create(client: &mut Client, wanted: &Wanted<'_>) -> Result<(), Failed> {
    let mut transaction = client.transaction()?;
    // The composite type is shared by all applications of the schema, and so is the lock.
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    transaction.execute(lock, &[&format!("first start of {}", wanted.names.schema)])?;
    let found = Found::look(&mut transaction, wanted)?;
    found.check(wanted).map_err(Failed::Store)?;
    for thing in &found.missing {
        transaction.batch_execute(&thing.create)?;
    }
    found.complete(&mut transaction, wanted)?;
    if !found.has_append && !found.has_other_append {
        let mut attempt = transaction.transaction()?;
        match attempt.batch_execute(&ddl::append(wanted.names)) {
            Ok(()) => attempt.commit()?,
            // Plain statements do the same.
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                tracing::warn!(%error, "the function that appends may not be created: saves take longer");
                attempt.rollback()?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(transaction.commit()?)
}

/// Whether creating something failed because somebody else has done it.
fn is_somebody_elses(error: &Error) -> bool {
    let Some(error) = error.as_db_error() else {
        return false;
    };
    let there = [
        SqlState::DUPLICATE_OBJECT,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_FUNCTION,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    there.contains(error.code())
        || *error.code() == SqlState::UNIQUE_VIOLATION && error.schema() == Some("pg_catalog")
        || error.message().contains("tuple concurrently updated")
}

fn check_server(client: &mut Client, wanted: &Wanted<'_>) -> Result<(), StoreError> {
    let label = &wanted.settings.label;
    let sql = "SELECT current_setting('server_version_num')::int, current_setting('fsync'), \
               EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)";
    let row = client
        .query_one(sql, &[&wanted.names.schema])
        .map_err(|error| label.failed("connecting", error))?;
    let (version, fsync, has_schema): (i32, &str, bool) = (row.get(0), row.get(1), row.get(2));
    if version < 140_000 {
        let problem = format!(
            "the server has version {}, and 14 is the oldest",
            version / 10_000
        );
        return Err(label.misconfigured(problem));
    }
    if fsync == "off" {
        tracing::warn!(
            "the PostgreSQL server has fsync=off: what is recorded may be lost in a crash"
        );
    }
    if !has_schema {
        let problem = format!(
            "there is no schema `{}` (POSTGRES_SCHEMA)",
            wanted.names.schema
        );
        return Err(label.misconfigured(problem));
    }
    Ok(())
}

/// What was found in a database.
struct Found {
    missing: Vec<Thing>,
    /// The columns of events, with their types; empty if there is no such table.
    columns: HashMap<String, String>,
    meta: HashMap<String, String>,
    many_rows: bool,
    /// Whether tracking has the row without which Python would rebuild it; true if there is no tracking.
    is_marked: bool,
    has_append: bool,
    /// There is a function of that name and these parameters that does something else.
    has_other_append: bool,
}

impl Found {
    fn look(client: &mut impl GenericClient, wanted: &Wanted<'_>) -> Result<Self, Error> {
        let names = wanted.names;
        let things = ddl::things(names, wanted.role);
        let there = there(client, names, &things)?;
        let follows = wanted.role == Role::Follower && there.contains(&names.tracking);
        let many_rows = follows && key_columns(client, names)? > 1;
        let append = append_body(client, names)?;
        let ours = ddl::append_body(names);
        Ok(Self {
            columns: columns(client, names)?,
            meta: if there.contains(&names.meta) {
                meta(client, names)?
            } else {
                HashMap::new()
            },
            many_rows,
            is_marked: !follows || many_rows || is_marked(client, names)?,
            has_append: append.as_ref() == Some(&ours),
            has_other_append: append.is_some_and(|body| body != ours),
            missing: things
                .into_iter()
                .filter(|thing| !there.contains(&thing.name))
                .collect(),
        })
    }

    fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.names_of_missing().is_empty()
    }

    fn names_of_missing(&self) -> Vec<String> {
        let things = self.missing.iter().map(|thing| format!("`{}`", thing.name));
        let keys = ["format", "application"].into_iter();
        let keys = keys.filter(|key| self.missing.is_empty() && !self.meta.contains_key(*key));
        let keys = keys.map(|key| format!("`{key}` in the table of settings"));
        let mark = (!self.is_marked).then(|| "the row `__migration__` of tracking".to_owned());
        things.chain(keys).chain(mark).collect()
    }

    fn layout(&self) -> Layout {
        Layout {
            many_rows: self.many_rows,
            has_append: self.has_append,
        }
    }

    fn check(&self, wanted: &Wanted<'_>) -> Result<(), StoreError> {
        let (label, events) = (&wanted.settings.label, &wanted.names.events);
        let needed = [
            "originator_id",
            "originator_version",
            "topic",
            "state",
            "notification_id",
        ];
        if let Some(column) = needed
            .iter()
            .find(|column| !self.columns.is_empty() && !self.columns.contains_key(**column))
        {
            return Err(
                label.misconfigured(format!("the table `{events}` has no column `{column}`"))
            );
        }
        let (expected, found) = (wanted.names.id, self.columns.get("originator_id"));
        if let Some(found) = found.filter(|found| *found != expected) {
            return Err(label.misconfigured(format!(
                "the ids in `{events}` are of type {found}, but ORIGINATOR_ID_TYPE is {expected}"
            )));
        }
        if let Some(format) = self.meta.get("format").filter(|format| *format != FORMAT) {
            return Err(label.misconfigured(format!(
                "its tables have format {format}, and this program knows {FORMAT}"
            )));
        }
        match self.meta.get("application") {
            Some(owner) if owner != wanted.application => Err(label.misconfigured(format!(
                "`{events}` belongs to the application `{owner}`; `{}` needs another name or POSTGRES_SCHEMA",
                wanted.application
            ))),
            _ => Ok(()),
        }
    }

    /// Adds the rows that there must be.
    fn complete(&self, client: &mut impl GenericClient, wanted: &Wanted<'_>) -> Result<(), Error> {
        let names = wanted.names;
        let meta = format!(
            "INSERT INTO {} (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            names.path(&names.meta)
        );
        for (key, value) in [("format", FORMAT), ("application", wanted.application)] {
            client.execute(&meta, &[&key, &value])?;
        }
        if wanted.role == Role::Follower && !self.many_rows {
            let mark = format!(
                "INSERT INTO {} (application_name, notification_id) VALUES ('__migration__', 1) ON CONFLICT DO NOTHING",
                names.path(&names.tracking)
            );
            client.execute(&mark, &[])?;
        }
        Ok(())
    }
}

/// Which of `things` there are.
fn there(
    client: &mut impl GenericClient,
    names: &Names,
    things: &[Thing],
) -> Result<HashSet<String>, Error> {
    let wanted: Vec<&str> = things.iter().map(|thing| thing.name.as_str()).collect();
    // Tables, indexes and composite types are all in this one catalogue.
    let sql = "SELECT c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
               WHERE n.nspname = $1 AND c.relname = ANY ($2)";
    let rows = client.query(sql, &[&names.schema, &wanted])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

fn has_table(client: &mut Client, names: &Names, name: &str) -> Result<bool, Error> {
    let row = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&names.path(name)])?;
    Ok(row.get(0))
}

fn columns(
    client: &mut impl GenericClient,
    names: &Names,
) -> Result<HashMap<String, String>, Error> {
    let sql = "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute \
               WHERE attrelid = to_regclass($1)::oid AND attnum > 0 AND NOT attisdropped";
    let rows = client.query(sql, &[&names.path(&names.events)])?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn key_columns(client: &mut impl GenericClient, names: &Names) -> Result<i16, Error> {
    let sql = "SELECT coalesce(max(indnkeyatts), 0::int2) FROM pg_index \
               WHERE indrelid = to_regclass($1)::oid AND indisprimary";
    Ok(client
        .query_one(sql, &[&names.path(&names.tracking)])?
        .get(0))
}

fn meta(client: &mut impl GenericClient, names: &Names) -> Result<HashMap<String, String>, Error> {
    let sql = format!(
        "SELECT key, coalesce(value, '') FROM {}",
        names.path(&names.meta)
    );
    let rows = client.query(&sql, &[])?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn is_marked(client: &mut impl GenericClient, names: &Names) -> Result<bool, Error> {
    let sql = format!(
        "SELECT EXISTS (SELECT FROM {} WHERE application_name = '__migration__')",
        names.path(&names.tracking)
    );
    Ok(client.query_one(&sql, &[])?.get(0))
}

fn append_body(client: &mut impl GenericClient, names: &Names) -> Result<Option<String>, Error> {
    let sql = "SELECT prosrc FROM pg_proc WHERE oid = to_regprocedure($1)::oid";
    let row = client.query_opt(sql, &[&names.append_signature()])?;
    Ok(row.map(|row| row.get(0)))
}
