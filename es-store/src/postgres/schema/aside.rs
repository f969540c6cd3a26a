//! The tables of what is set aside.
//!
//! An application needs them only if a rule can set events aside. So one whose role may not create
//! them opens without them, and those who set events aside are told the statements that their owner
//! has to execute.

use std::thread;
use std::time::Instant;

use tokio_postgres::Error;

use super::catalogue::{columns, existing_names};
use super::{
    CreateError, IN_USE, MAX_ATTEMPTS, SchemaNeeds, begin, is_concurrent_creation, is_locked,
    is_not_allowed, may_wait,
};
use crate::backoff::jitter;
use crate::error::StoreError;
use crate::postgres::ddl;
use crate::postgres::names::Names;
use crate::postgres_client::Client;
use crate::role::Role;

/// The use that can be made of the tables of what is set aside.
#[derive(Debug, Clone, Default)]
pub(in crate::postgres) struct AsideTables {
    /// True if they are there and can be read.
    pub(in crate::postgres) is_readable: bool,
    /// The reason why events cannot be set aside, and the statements that make it possible; `None`
    /// if they can.
    pub(in crate::postgres) problem: Option<String>,
}

/// The tables as they were found.
struct Found {
    /// The statements that create what is missing.
    statements: Vec<String>,
    /// True if the table of failures is that of an earlier release, and has rows.
    has_former_rows: bool,
}

/// Creates missing tables, puts today's table of failures in place of that of an earlier release,
/// which was never used, and finds out which use can be made of them.
pub(in crate::postgres) fn prepare_aside(
    client: &mut Client,
    wanted: &SchemaNeeds<'_>,
) -> Result<AsideTables, StoreError> {
    if wanted.role == Role::Leader {
        return Ok(AsideTables::default());
    }
    let label = &wanted.settings.label;
    let reading = |error| label.failed("reading the tables", error);
    let (began, mut attempts, mut waits) = (Instant::now(), 0, 0);
    loop {
        let found = Found::look(client, wanted.names).map_err(reading)?;
        if found.statements.is_empty() {
            return privileges(client, wanted.names).map_err(reading);
        }
        if found.has_former_rows {
            return Ok(found.without(
                "its table of failures is that of an earlier release, which has never written to it, but it has rows",
            ));
        }
        if !wanted.settings.create {
            return Ok(found.without("CREATE_TABLE is off"));
        }
        match create(client, wanted) {
            Ok(()) if attempts < MAX_ATTEMPTS => attempts += 1,
            Ok(()) => {
                let problem = "another program keeps creating and dropping the tables";
                return Err(label.misconfigured(problem));
            }
            Err(CreateError::Store(error)) => return Err(error),
            Err(CreateError::Driver(error)) if is_not_allowed(&error) => {
                return Ok(
                    found.without("its role may not create tables, or the server is read-only")
                );
            }
            Err(CreateError::Driver(error))
                if is_locked(&error) && may_wait(began, label.lock_timeout()) =>
            {
                waits += 1;
                thread::sleep(jitter(IN_USE.pause(waits), 0.5, 1.5));
            }
            Err(CreateError::Driver(error))
                if is_concurrent_creation(&error) && attempts < MAX_ATTEMPTS =>
            {
                attempts += 1;
            }
            Err(CreateError::Driver(error)) => return Err(label.failed("creating tables", error)),
        }
    }
}

fn create(client: &mut Client, wanted: &SchemaNeeds<'_>) -> Result<(), CreateError> {
    let mut transaction = begin(client, wanted)?;
    let found = Found::look(transaction.client(), wanted.names)?;
    if !found.has_former_rows {
        for statement in &found.statements {
            transaction.batch_execute(statement)?;
        }
    }
    Ok(transaction.commit()?)
}

impl Found {
    fn look(client: &mut Client, names: &Names) -> Result<Self, Error> {
        let objects = ddl::aside(names);
        let mut existing = existing_names(client, names, &objects)?;
        let mut statements = Vec::new();
        let mut has_former_rows = false;
        let is_former = existing.contains(&names.failures)
            && !columns(client, names, &names.failures)?.contains_key("sequence");
        if is_former {
            let failures = names.path(&names.failures);
            has_former_rows = has_rows(client, &failures)?;
            statements.push(format!("DROP TABLE {failures}"));
            existing.remove(&names.failures);
            existing.remove(&names.waiting_index);
        }
        let missing = objects.into_iter();
        let missing = missing.filter(|object| !existing.contains(&object.name));
        statements.extend(missing.map(|object| object.create));
        Ok(Self {
            statements,
            has_former_rows,
        })
    }

    /// Returns the tables that cannot be used for this reason.
    fn without(&self, reason: &str) -> AsideTables {
        let statements = self.statements.join("; ");
        AsideTables {
            is_readable: false,
            problem: Some(format!(
                "{reason}, and events cannot be set aside without tables that are missing. Execute: {statements}"
            )),
        }
    }
}

/// Returns true if a table has rows; false also if the role may not read it, so that it is not its
/// owner and cannot drop it.
fn has_rows(client: &mut Client, table: &str) -> Result<bool, Error> {
    let may_read = "SELECT has_table_privilege($1, 'SELECT')";
    if !client.query_one(may_read, &[&table])?.get::<_, bool>(0) {
        return Ok(false);
    }
    let rows = format!("SELECT EXISTS (SELECT FROM {table})");
    Ok(client.query_one(&rows, &[])?.get(0))
}

/// Finds out what the role may do with the tables, which exist.
fn privileges(client: &mut Client, names: &Names) -> Result<AsideTables, Error> {
    let sql = "SELECT has_table_privilege($1, 'SELECT') AND has_table_privilege($2, 'SELECT'), \
               has_table_privilege($1, 'INSERT') AND has_table_privilege($1, 'UPDATE') \
               AND has_table_privilege($1, 'DELETE') AND has_table_privilege($2, 'INSERT') \
               AND has_table_privilege($3, 'UPDATE'), current_user::text";
    let aside = names.aside();
    let row = client.query_one(sql, &[&aside.failures, &aside.operations, &aside.meta])?;
    let (is_readable, is_writable, role): (bool, bool, String) =
        (row.get(0), row.get(1), row.get(2));
    let role = crate::sql::names::quoted(&role);
    let problem = (!is_readable || !is_writable).then(|| {
        format!(
            "its role lacks a privilege for setting events aside. Execute: GRANT SELECT, INSERT, UPDATE, DELETE ON {} \
             TO {role}; GRANT SELECT, INSERT ON {} TO {role}; GRANT SELECT, UPDATE ON {} TO {role}",
            aside.failures, aside.operations, aside.meta
        )
    });
    Ok(AsideTables {
        is_readable,
        problem,
    })
}
