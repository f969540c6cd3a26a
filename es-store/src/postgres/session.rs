//! The settings of our sessions.
//!
//! A server, a database and a role can each have other defaults. Those on which our statements or
//! their results depend are set when a connection is opened, by its startup options: they win over
//! all defaults, and `RESET ALL` returns to them.
//!
//! Others stay the operator's, because they change nothing that the library reads or decides:
//! - Texts: `DateStyle`, `IntervalStyle`, `TimeZone`, `bytea_output`, `extra_float_digits`,
//!   `xmloption` and `array_nulls` are about values as text. Ours are binary. `client_encoding` is
//!   set by the driver, and `lc_messages` is only shown.
//! - Parsing: `backslash_quote`, `escape_string_warning` and `transform_null_equals` are about
//!   expressions that we do not write, and `search_path` about names without a schema. Ours have
//!   one. Triggers of the user's own may rely on `search_path`.
//! - Access: `default_transaction_read_only`, `row_security`, `role` and `session_replication_role`
//!   are decisions about who may do what.
//! - Places: `default_tablespace` and `default_table_access_method`.
//!
//! `synchronous_commit` is the user's by POSTGRES_SYNCHRONOUS_COMMIT.

use std::time::Duration;

use tokio_postgres::Error;

use crate::env::Env;
use crate::error::StoreError;
use crate::postgres_client::Client;

const SECOND: Duration = Duration::from_secs(1);

/// The statement that turns off a setting of servers since 17, which would end a transaction of
/// ours. Older servers do not know it.
const NO_TRANSACTION_TIMEOUT: &str = "SELECT set_config('transaction_timeout', '0', false) \
                                      WHERE current_setting('transaction_timeout', true) <> '0'";

/// The statement by which the server cancels a request when its client is gone. Some systems cannot
/// detect that.
const END_WITH_CLIENT: &str = "SET client_connection_check_interval = '1s'";

/// The statements that return to the settings of a session, and remove what a handler has made in
/// it. `DISCARD ALL` would remove the prepared statements of the library, too.
///
/// They follow a user's commit in the same request, because all that would otherwise stay for those
/// who use the connection next. A rollback undoes it by itself.
const RESTORE: &str = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; \
                       SELECT set_config('transaction_timeout', '0', false) \
                       WHERE current_setting('transaction_timeout', true) <> '0'; \
                       UNLISTEN *; CLOSE ALL; DISCARD TEMP;";

/// The same, where the server can detect that its client is gone.
const RESTORE_AND_END_WITH_CLIENT: &str = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; \
                       SET client_connection_check_interval = '1s'; \
                       SELECT set_config('transaction_timeout', '0', false) \
                       WHERE current_setting('transaction_timeout', true) <> '0'; \
                       UNLISTEN *; CLOSE ALL; DISCARD TEMP;";

/// The statements that remove what outlives a rollback, too. The row is `f`, or `t` if the
/// connection has to be closed because a statement was prepared by `PREPARE`: no statement
/// deallocates these alone.
pub(super) const RELEASE: &str = "DISCARD SEQUENCES; \
                       SELECT EXISTS (SELECT FROM pg_prepared_statement() WHERE from_sql), \
                       pg_advisory_unlock_all()";

/// The startup options of our sessions.
#[derive(Debug, Clone)]
pub(super) struct Sessions {
    /// The options of sessions that execute the library's statements only.
    pub(super) own: String,
    /// The options of sessions that execute users' statements.
    pub(super) of_users: String,
}

impl Sessions {
    /// Returns the options for `lock_timeout`, and the limit of a projection's handler.
    pub(super) fn of(
        env: &Env,
        lock_timeout: Duration,
        policy_timeout: Duration,
    ) -> Result<Self, StoreError> {
        let idle = "POSTGRES_IDLE_IN_TRANSACTION_SESSION_TIMEOUT";
        let idle = env.seconds(idle, 5 * SECOND)?.as_millis();
        let limit = policy_timeout.as_millis().max(1);
        let common = common(env, lock_timeout)?;
        Ok(Self {
            // An index serves each of our statements, but a plan made while a table was empty may
            // not use it, and is kept. So other plans are disabled. Our own limit of a request
            // counts from its end of the connection.
            own: format!(
                "{common} -c idle_in_transaction_session_timeout={idle} -c statement_timeout=0 \
                 -c enable_indexscan=on -c enable_indexonlyscan=on -c enable_seqscan=off \
                 -c enable_bitmapscan=off -c jit=off"
            ),
            // Users' tables need plans of all kinds.
            of_users: format!(
                "{common} -c idle_in_transaction_session_timeout={limit} -c statement_timeout={limit} \
                 -c jit=off"
            ),
        })
    }
}

/// Returns the settings of every session.
fn common(env: &Env, lock_timeout: Duration) -> Result<String, StoreError> {
    let commit = synchronous_commit(env)?;
    // 0 means no limit, so a time below a millisecond is rounded up.
    let lock = lock_timeout.as_micros().div_ceil(1000);
    Ok(format!(
        "-c synchronous_commit={commit} -c lock_timeout={lock} -c idle_session_timeout=0 \
         -c default_transaction_isolation=read\\ committed -c default_transaction_deferrable=off \
         -c standard_conforming_strings=on -c quote_all_identifiers=off -c exit_on_error=off"
    ))
}

fn synchronous_commit(env: &Env) -> Result<String, StoreError> {
    let key = "POSTGRES_SYNCHRONOUS_COMMIT";
    let known = ["on", "off", "local", "remote_write", "remote_apply"];
    match env.get(key).map(str::trim) {
        None | Some("") => Ok("on".to_owned()),
        Some(value) => match known.iter().find(|one| one.eq_ignore_ascii_case(value)) {
            Some(value) => Ok((*value).to_owned()),
            None => Err(env.invalid(key, known.join(", ")).into()),
        },
    }
}

/// Executes the first statements of a session that only reads.
pub(super) fn begin(client: &mut Client) -> Result<(), Error> {
    client.batch_execute(NO_TRANSACTION_TIMEOUT)
}

/// Executes the first statements of a session that writes. If this process dies, its last request
/// outlives it by a second at most, where the server can detect that its client is gone. Returns
/// the statements by which the session returns to its settings.
pub(super) fn begin_writing(client: &mut Client) -> Result<&'static str, Error> {
    begin(client)?;
    match client.batch_execute(END_WITH_CLIENT) {
        Err(error) if error.as_db_error().is_some() => {
            let error = es_core::error_chain(&error);
            tracing::debug!(%error, "the server cannot detect that its client is gone");
            Ok(RESTORE)
        }
        done => done.map(|()| RESTORE_AND_END_WITH_CLIENT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_sets_what_our_statements_depend_on() {
        let second = Duration::from_secs(1);
        let sessions = Sessions::of(&Env::new(), second, 2 * second).expect("the defaults");
        let both = [
            "synchronous_commit=on",
            "lock_timeout=1000",
            "idle_session_timeout=0",
            "default_transaction_isolation=read\\ committed",
            "default_transaction_deferrable=off",
            "standard_conforming_strings=on",
            "quote_all_identifiers=off",
            "exit_on_error=off",
            "jit=off",
        ];
        let own = [
            "statement_timeout=0",
            "idle_in_transaction_session_timeout=5000",
            "enable_indexscan=on",
            "enable_indexonlyscan=on",
            "enable_seqscan=off",
            "enable_bitmapscan=off",
        ];
        let of_users = [
            "statement_timeout=2000",
            "idle_in_transaction_session_timeout=2000",
        ];
        for (options, further) in [
            (&sessions.own, &own[..]),
            (&sessions.of_users, &of_users[..]),
        ] {
            let mut found: Vec<_> = options.split("-c ").map(str::trim).collect();
            let mut expected: Vec<_> = both.iter().chain(further).copied().collect();
            found.retain(|option| !option.is_empty());
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected);
        }
    }
}
