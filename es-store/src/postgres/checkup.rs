//! The examination of a database and its server.

mod connections;
mod privileges;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use es_core::error_chain;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::names::Names;
use super::options::PostgresOptions;
use crate::checkup::{Checkup, TopicCount, Verdict};
use crate::error::StoreError;
use crate::role::Role;
use crate::sql::names::literal;

/// The difference of two clocks above which something is wrong.
const SKEW: Duration = Duration::from_secs(2);

/// The time after which a transaction that has used the table of events is too old.
const OLD_TRANSACTION: &str = "5 minutes";

/// The application whose database is examined.
pub(super) struct Examined<'a> {
    pub(super) names: &'a Names,
    pub(super) settings: &'a PostgresOptions,
    pub(super) role: Role,
    pub(super) has_snapshots: bool,
    /// Executes a statement that reads.
    pub(super) read: &'a Read<'a>,
}

type Read<'a> =
    dyn Fn(&'static str, &str, &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StoreError> + 'a;

impl Examined<'_> {
    fn query(
        &self,
        doing: &'static str,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        (self.read)(doing, sql, params)
    }

    fn query_one(
        &self,
        doing: &'static str,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, StoreError> {
        let row = self.query(doing, sql, params)?.into_iter().next();
        row.ok_or_else(|| {
            self.settings
                .label
                .misconfigured(format!("{doing}: there is no row"))
        })
    }
}

/// Counts the topics of the log.
pub(super) fn topics(server: &Examined<'_>) -> Result<Vec<TopicCount>, StoreError> {
    let events = server.names.path(&server.names.events);
    let sql = format!(
        "SELECT topic, count(*), max(notification_id) FROM {events} GROUP BY topic ORDER BY topic COLLATE \"C\""
    );
    let rows = server.query("reading the topics", &sql, &[])?;
    let count = |row: &Row| {
        let (count, last): (i64, i64) = (row.get(1), row.get(2));
        TopicCount::new(
            row.get::<_, &str>(0),
            count.unsigned_abs(),
            last.unsigned_abs(),
        )
    };
    Ok(rows.iter().map(count).collect())
}

/// Examines the database and its server.
pub(super) fn examine(server: &Examined<'_>) -> Checkup {
    let mut checkup = Checkup::default();
    checkup.add("privileges", privileges::check(server));
    checkup.add("flushes", unless_failed(flushes(server)));
    checkup.add("vacuum", unless_failed(vacuum(server)));
    checkup.add("sequence", unless_failed(sequence(server)));
    checkup.add("clock", unless_failed(clock(server)));
    checkup.add("transactions", unless_failed(transactions(server)));
    match connections::of(server) {
        Ok(connections) => checkup.connections = Some(connections),
        Err(error) => checkup.add("connections", unless_failed(Err(error))),
    }
    checkup
}

fn unless_failed(checked: Result<Verdict, StoreError>) -> Verdict {
    checked.unwrap_or_else(|error| Verdict::unknown(error_chain(&error).to_string()))
}

/// Checks the settings without which a crash of the server loses what was recorded.
fn flushes(server: &Examined<'_>) -> Result<Verdict, StoreError> {
    let sql = "SELECT current_setting('fsync'), current_setting('full_page_writes'), \
               current_setting('synchronous_commit')";
    let row = server.query_one("reading the settings of the server", sql, &[])?;
    let settings = [
        (row.get::<_, &str>(0), "fsync", "what was recorded"),
        (
            row.get(1),
            "full_page_writes",
            "pages that were half written",
        ),
    ];
    for (value, setting, lost) in settings {
        if value == "off" {
            return Ok(Verdict::problem(
                format!("the server has {setting}=off: a crash loses {lost}"),
                format!("ALTER SYSTEM SET {setting} = on; SELECT pg_reload_conf()"),
            ));
        }
    }
    let synchronous: &str = row.get(2);
    if synchronous == "off" {
        return Ok(Verdict::problem(
            "synchronous_commit is off: a crash loses what was recorded last",
            "remove POSTGRES_SYNCHRONOUS_COMMIT=off, unless that is meant",
        ));
    }
    Ok(Verdict::ok(format!(
        "fsync is on, synchronous_commit is {synchronous}"
    )))
}

/// Checks that nothing vacuums the events while others write.
fn vacuum(server: &Examined<'_>) -> Result<Verdict, StoreError> {
    let path = server.names.path(&server.names.events);
    let sql = "SELECT coalesce(reloptions, '{}'), age(relfrozenxid)::bigint, \
               current_setting('autovacuum_freeze_max_age')::bigint FROM pg_class WHERE oid = to_regclass($1)";
    let row = server.query_one("reading the catalogue", sql, &[&path])?;
    let (options, age, limit): (Vec<String>, i64, i64) = (row.get(0), row.get(1), row.get(2));
    let has = |option: &str| options.iter().any(|one| one == option);
    if !has("autovacuum_vacuum_insert_threshold=-1") && !has("autovacuum_enabled=false") {
        return Ok(Verdict::problem(
            "an automatic vacuum of the events holds up writers",
            format!("ALTER TABLE {path} SET (autovacuum_vacuum_insert_threshold = -1)"),
        ));
    }
    if age > limit / 10 * 8 {
        return Ok(Verdict::problem(
            format!(
                "a vacuum against wraparound, which blocks writers, is near: the events have an age of {age} \
                 transactions, and the limit is {limit}"
            ),
            format!("in a quiet hour, VACUUM (FREEZE, ANALYZE) {path}"),
        ));
    }
    Ok(Verdict::ok(
        "no automatic vacuum of the events because of inserts",
    ))
}

/// Checks that the sequence of positions is not behind the events, as after a copy of tables.
fn sequence(server: &Examined<'_>) -> Result<Verdict, StoreError> {
    let path = server.names.path(&server.names.events);
    let name = "SELECT pg_get_serial_sequence($1, 'notification_id')";
    let row = server.query_one("finding the sequence", name, &[&path])?;
    let Some(sequence) = row.get::<_, Option<String>>(0) else {
        return Ok(Verdict::unknown(format!(
            "no sequence belongs to the positions of {path}"
        )));
    };
    let may = "SELECT has_sequence_privilege($1::text, 'SELECT')";
    let row = server.query_one("reading the catalogue", may, &[&sequence])?;
    if !row.get::<_, bool>(0) {
        return Ok(Verdict::unknown(format!(
            "the role may not read the sequence: GRANT SELECT ON SEQUENCE {sequence} TO the role"
        )));
    }
    let sql = format!(
        "SELECT (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}), \
         (SELECT coalesce(max(notification_id), 0) FROM {path})"
    );
    let row = server.query_one("reading the sequence", &sql, &[])?;
    let (last, head): (i64, i64) = (row.get(0), row.get(1));
    if last < head {
        let name = literal(&path);
        return Ok(Verdict::problem(
            format!(
                "the sequence of positions is at {last}, behind the last event at {head}: saves are refused"
            ),
            format!(
                "SELECT setval(pg_get_serial_sequence({name}, 'notification_id'), \
                 (SELECT max(notification_id) FROM {path}))"
            ),
        ));
    }
    Ok(Verdict::ok("the sequence of positions is not behind"))
}

/// Compares the clock of the server with that of this machine, which may be ahead or behind by the
/// time of the round trip.
fn clock(server: &Examined<'_>) -> Result<Verdict, StoreError> {
    let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let before = now();
    let row = server.query_one("reading the clock", sql, &[])?;
    let after = now();
    let server = Duration::from_millis(row.get::<_, i64>(0).unsigned_abs());
    let (skew, side) = if server < before {
        (before - server, "behind")
    } else {
        (server.saturating_sub(after), "ahead of")
    };
    if skew > SKEW {
        return Ok(Verdict::problem(
            format!(
                "the clock of the server is {} s {side} that of this machine",
                skew.as_secs()
            ),
            "let both machines take their time from the same source (NTP)",
        ));
    }
    Ok(Verdict::ok(
        "the clocks of the server and of this machine agree",
    ))
}

fn now() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default()
}

/// Looks for old transactions, which hold up what waits for their locks.
fn transactions(server: &Examined<'_>) -> Result<Verdict, StoreError> {
    let path = server.names.path(&server.names.events);
    let sql = format!(
        "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), \
         (SELECT l.pid FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid \
         WHERE l.relation = to_regclass($1) AND a.xact_start < now() - interval '{OLD_TRANSACTION}' \
         ORDER BY a.xact_start LIMIT 1)"
    );
    let row = server.query_one("reading the transactions", &sql, &[&path])?;
    let (may, old): (bool, Option<i32>) = (row.get(0), row.get(1));
    if let Some(pid) = old {
        return Ok(Verdict::problem(
            format!(
                "the process {pid} has held a lock on the events for more than {OLD_TRANSACTION}"
            ),
            format!("end it, if nobody needs it: SELECT pg_terminate_backend({pid})"),
        ));
    }
    if !may {
        return Ok(Verdict::unknown(
            "the role does not see the transactions of others: GRANT pg_read_all_stats TO the role",
        ));
    }
    Ok(Verdict::ok(format!(
        "no transaction has held the events for more than {OLD_TRANSACTION}"
    )))
}
