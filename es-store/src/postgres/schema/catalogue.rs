//! The objects of a schema, compared with those that an application needs.

use std::collections::{HashMap, HashSet};

use tokio_postgres::Error;

use super::{SchemaNeeds, ServerLayout};
use crate::error::StoreError;
use crate::format::Format;
use crate::postgres::ddl::{self, DatabaseObject};
use crate::postgres::functions::{self, Function};
use crate::postgres::names::Names;
use crate::postgres_client::Client;
use crate::role::Role;
use crate::sql::schema::{MIGRATION_MARK, check_columns, check_meta, meta_rows, missing_meta};

/// The objects that were found in a schema.
pub(super) struct Catalogue {
    pub(super) missing: Vec<DatabaseObject>,
    /// The columns of the events table with their types; empty if there is no such table.
    columns: HashMap<String, String>,
    meta: HashMap<String, String>,
    /// The columns that the table of upstreams lacks, if it exists.
    pub(super) missing_columns: Vec<(&'static str, &'static str)>,
    has_row_per_position: bool,
    /// True if tracking has the row without which Python would rebuild the table, or if there is no
    /// tracking.
    is_marked: bool,
    pub(super) missing_functions: Vec<Function>,
    /// True if a function of that name and parameters has another body or may not be called.
    pub(super) has_other_append: bool,
}

impl Catalogue {
    pub(super) fn read(client: &mut Client, wanted: &SchemaNeeds<'_>) -> Result<Self, Error> {
        let names = wanted.names;
        let objects = ddl::objects(names, wanted.role);
        let existing = existing_names(client, names, &objects)?;
        let follows = wanted.role == Role::Follower && existing.contains(&names.tracking);
        let has_row_per_position = follows && key_columns(client, names)? > 1;
        let mut missing_columns = Vec::new();
        if existing.contains(&names.upstream) {
            let columns = columns(client, names, &names.upstream)?;
            missing_columns.extend(ddl::ADDED_COLUMNS);
            missing_columns.retain(|(name, _)| !columns.contains_key(*name));
        }
        let (mut missing_functions, mut has_other_append) = (Vec::new(), false);
        for function in functions::functions(names) {
            match body(client, &function.signature)? {
                None => missing_functions.push(function),
                Some((body, may_call)) => has_other_append |= body != function.body || !may_call,
            }
        }
        Ok(Self {
            columns: columns(client, names, &names.events)?,
            missing_columns,
            meta: if existing.contains(&names.meta) {
                meta(client, names)?
            } else {
                HashMap::new()
            },
            has_row_per_position,
            is_marked: !follows || has_row_per_position || is_marked(client, names)?,
            missing_functions,
            has_other_append,
            missing: objects
                .into_iter()
                .filter(|object| !existing.contains(&object.name))
                .collect(),
        })
    }

    pub(super) fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.names_of_missing().is_empty()
    }

    /// Returns what the tables of an earlier release lack and the statements that add it, or `None`
    /// if they are not those of an earlier release.
    pub(super) fn upgrade(&self, names: &Names) -> Option<String> {
        if self.missing_columns.is_empty() {
            return None;
        }
        let objects = self.missing.iter().map(|object| object.create.clone());
        let columns = ddl::add_columns(names, &self.missing_columns);
        let statements: Vec<_> = objects.chain([columns]).collect();
        Some(format!(
            "the tables in schema `{}` are those of an earlier release. Execute: {}",
            names.schema,
            statements.join("; ")
        ))
    }

    pub(super) fn names_of_missing(&self) -> Vec<String> {
        let objects = self
            .missing
            .iter()
            .map(|object| format!("`{}`", object.name));
        let keys = missing_meta(&self.meta).filter(|_| self.missing.is_empty());
        let keys = keys.map(|key| format!("`{key}` in the table of settings"));
        let mark = (!self.is_marked).then(|| format!("the row `{MIGRATION_MARK}` of tracking"));
        let columns = self.missing_columns.iter();
        let columns =
            columns.map(|(name, _)| format!("the column `{name}` of the table of upstreams"));
        objects.chain(columns).chain(keys).chain(mark).collect()
    }

    pub(super) fn layout(&self) -> ServerLayout {
        ServerLayout {
            has_row_per_position: self.has_row_per_position,
            has_policies: self.missing.is_empty() && self.missing_columns.is_empty(),
            has_append: self.has_append(),
        }
    }

    pub(super) fn has_append(&self) -> bool {
        self.missing_functions.is_empty() && !self.has_other_append
    }

    pub(super) fn check(&self, wanted: &SchemaNeeds<'_>) -> Result<(), StoreError> {
        let (label, events) = (&wanted.settings.label, &wanted.names.events);
        if !self.columns.is_empty() {
            let has = |column: &str| self.columns.contains_key(column);
            check_columns(label, events, has)?;
            let position = Format::CURRENT.position_column();
            if !has(position) {
                let problem = format!("the table `{events}` has no column `{position}`");
                return Err(label.misconfigured(problem));
            }
        }
        let (expected, found) = (wanted.names.id, self.columns.get("originator_id"));
        if let Some(found) = found.filter(|found| *found != expected) {
            return Err(label.misconfigured(format!(
                "the ids in `{events}` are of type {found}, but ORIGINATOR_ID_TYPE is {expected}"
            )));
        }
        for number in ["originator_version", "notification_id"] {
            let found = self.columns.get(number);
            if let Some(found) = found.filter(|found| *found != "bigint") {
                let path = wanted.names.path(events);
                return Err(label.misconfigured(format!(
                    "the column `{number}` of `{events}` is of type {found}: ALTER TABLE {path} ALTER {number} TYPE bigint"
                )));
            }
        }
        let (tables, remedy) = (format!("`{events}`"), "another name or POSTGRES_SCHEMA");
        check_meta(label, &self.meta, wanted.application, &tables, remedy)
    }

    /// Inserts the rows that must exist.
    pub(super) fn complete(
        &self,
        client: &mut Client,
        wanted: &SchemaNeeds<'_>,
    ) -> Result<(), Error> {
        let names = wanted.names;
        let meta = format!(
            "INSERT INTO {} (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            names.path(&names.meta)
        );
        for (key, value) in meta_rows(wanted.application) {
            client.execute(&meta, &[&key, &value])?;
        }
        if wanted.role == Role::Follower && !self.has_row_per_position {
            let mark = format!(
                "INSERT INTO {} (application_name, notification_id) VALUES ('{MIGRATION_MARK}', 1) ON CONFLICT DO NOTHING",
                names.path(&names.tracking)
            );
            client.execute(&mark, &[])?;
        }
        Ok(())
    }
}

/// Returns the names of those `objects` that exist.
pub(super) fn existing_names(
    client: &mut Client,
    names: &Names,
    objects: &[DatabaseObject],
) -> Result<HashSet<String>, Error> {
    let wanted: Vec<&str> = objects.iter().map(|object| object.name.as_str()).collect();
    // This one catalogue lists tables, indexes and composite types.
    let sql = "SELECT c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
               WHERE n.nspname = $1 AND c.relname = ANY ($2)";
    let rows = client.query(sql, &[&names.schema, &wanted])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Returns the columns of a table with their types; none if there is no such table.
pub(super) fn columns(
    client: &mut Client,
    names: &Names,
    table: &str,
) -> Result<HashMap<String, String>, Error> {
    let sql = "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute \
               WHERE attrelid = to_regclass($1)::oid AND attnum > 0 AND NOT attisdropped";
    let rows = client.query(sql, &[&names.path(table)])?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn key_columns(client: &mut Client, names: &Names) -> Result<i16, Error> {
    let sql = "SELECT coalesce(max(indnkeyatts), 0::int2) FROM pg_index \
               WHERE indrelid = to_regclass($1)::oid AND indisprimary";
    Ok(client
        .query_one(sql, &[&names.path(&names.tracking)])?
        .get(0))
}

fn meta(client: &mut Client, names: &Names) -> Result<HashMap<String, String>, Error> {
    let sql = format!(
        "SELECT key, coalesce(value, '') FROM {}",
        names.path(&names.meta)
    );
    let rows = client.query(&sql, &[])?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn is_marked(client: &mut Client, names: &Names) -> Result<bool, Error> {
    let sql = format!(
        "SELECT EXISTS (SELECT FROM {} WHERE application_name = '{MIGRATION_MARK}')",
        names.path(&names.tracking)
    );
    Ok(client.query_one(&sql, &[])?.get(0))
}

/// Returns the body of a function and true if it may be called; `None` if there is no such
/// function.
fn body(client: &mut Client, signature: &str) -> Result<Option<(String, bool)>, Error> {
    let sql = "SELECT prosrc, has_function_privilege(oid, 'EXECUTE') FROM pg_proc \
               WHERE oid = to_regprocedure($1)::oid";
    let row = client.query_opt(sql, &[&signature])?;
    Ok(row.map(|row| (row.get(0), row.get(1))))
}
