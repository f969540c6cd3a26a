//! The check of the role's privileges on the tables of an application.

use super::{Examined, unless_failed};
use crate::checkup::Verdict;
use crate::error::StoreError;
use crate::role::Role;
use crate::sql::names::quoted;

/// Finds the first privilege that the role lacks.
pub(super) fn check(server: &Examined<'_>) -> Verdict {
    unless_failed(missing(server))
}

fn missing(server: &Examined<'_>) -> Result<Verdict, StoreError> {
    let role = "SELECT current_user::text, pg_is_in_recovery(), to_regclass($1) IS NOT NULL";
    let events = server.names.path(&server.names.events);
    let row = server.query_one("reading the role", role, &[&events])?;
    let (user, is_standby): (String, bool) = (row.get(0), row.get(1));
    if is_standby {
        return Ok(Verdict::ok("the server is a standby, which is only read"));
    }
    for (table, privileges) in needed(server) {
        let path = server.names.path(table);
        for privilege in privileges {
            let sql = "SELECT coalesce(has_table_privilege(to_regclass($1), $2), true)";
            let row = server.query_one("reading the privileges", sql, &[&path, privilege])?;
            if !row.get::<_, bool>(0) {
                let all = privileges.join(", ");
                return Ok(Verdict::problem(
                    format!("the role `{user}` may not {privilege} on {path}"),
                    format!("GRANT {all} ON {path} TO {}", quoted(&user)),
                ));
            }
        }
    }
    sequence(server, &user)
}

/// The tables of an application, with the privileges that its programs need.
fn needed<'a>(server: &Examined<'a>) -> Vec<(&'a str, &'static [&'static str])> {
    let names = server.names;
    // UPDATE on the events is for their lock.
    let events: &[&str] = &["SELECT", "INSERT", "UPDATE"];
    let all: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE"];
    let mut needed = vec![(&*names.events, events), (&*names.meta, &["SELECT"])];
    if server.has_snapshots {
        needed.push((&names.snapshots, &["SELECT", "INSERT", "UPDATE"]));
    }
    if server.role == Role::Follower {
        for table in [
            &names.tracking,
            &names.upstream,
            &names.policies,
            &names.failures,
            &names.operations,
        ] {
            needed.push((table, all));
        }
    }
    needed
}

fn sequence(server: &Examined<'_>, user: &str) -> Result<Verdict, StoreError> {
    let path = server.names.path(&server.names.events);
    let sql = "SELECT s, coalesce(has_sequence_privilege(s, 'USAGE'), true) \
               FROM (SELECT pg_get_serial_sequence($1, 'notification_id') AS s) AS sequence";
    let row = server.query_one("reading the privileges", sql, &[&path])?;
    let (sequence, may): (Option<String>, bool) = (row.get(0), row.get(1));
    if let (Some(sequence), false) = (sequence, may) {
        return Ok(Verdict::problem(
            format!("the role `{user}` may not use the sequence {sequence}"),
            format!("GRANT USAGE ON SEQUENCE {sequence} TO {}", quoted(user)),
        ));
    }
    Ok(Verdict::ok(format!(
        "the role `{user}` has the privileges that it needs"
    )))
}
