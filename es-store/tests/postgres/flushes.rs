//! A save is flushed before it is acknowledged, as the server itself counts its flushes.

use std::io::Write;

use es_store::testing::postgres::{Cluster, Database, cluster};
use es_store::{Env, Role};

use super::{open, recording, wait_until};

const SAVES: u64 = 100;

/// Starts a server of our own, where little else is flushed. Returns `None` without PostgreSQL, or
/// if flushing is turned off.
fn flushing() -> Option<Cluster> {
    let cluster = cluster()?;
    let row = cluster.database().connect().query_one("SHOW fsync", &[]);
    let fsync: String = row.expect("a setting").get(0);
    if fsync == "on" {
        return Some(cluster);
    }
    // The test harness would capture `eprintln!`.
    let skipped = "ES_POSTGRES_FSYNC is off: nothing shows that saves are flushed";
    let _ = writeln!(std::io::stderr(), "\n*** SKIPPED: {skipped} ***\n");
    None
}

/// Returns the number of flushes of the server's log since its start.
fn flushes(database: &Database) -> u64 {
    let mut raw = database.connect();
    let version = "SELECT current_setting('server_version_num')::int >= 180000";
    let sql = match raw.query_one(version, &[]).expect("a version").get(0) {
        true => "SELECT sum(fsyncs)::bigint FROM pg_stat_io WHERE object = 'wal'",
        false => "SELECT wal_sync FROM pg_stat_wal",
    };
    let count: i64 = raw.query_one(sql, &[]).expect("a count").get(0);
    u64::try_from(count).expect("not below 0")
}

/// Saves one by one. The connections are closed on return, because only then the server counts
/// their flushes.
fn save_all(database: &Database, env: &Env, number: u128) {
    let dogs = open("Dogs", Role::Leader, env);
    for version in 1..=SAVES {
        dogs.record(&recording(number, [version]))
            .expect("recorded");
    }
    drop(dogs);
    let there = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'Dogs'";
    let mut raw = database.connect();
    wait_until("a connection stays", || {
        let there: i64 = raw.query_one(there, &[]).expect("a count").get(0);
        (there == 0).then_some(())
    });
}

#[test]
fn every_save_is_flushed_and_without_synchronous_commit_few_are() {
    let Some(cluster) = flushing() else { return };
    let database = cluster.database();
    open("Dogs", Role::Leader, &database.env());
    let before = flushes(&database);
    save_all(&database, &database.env(), 1);
    wait_until("saves were not flushed", || {
        (flushes(&database) >= before + SAVES).then_some(())
    });
    // The control.
    let before = flushes(&database);
    let env = database.env().with("POSTGRES_SYNCHRONOUS_COMMIT", "off");
    save_all(&database, &env, 2);
    let flushed = flushes(&database) - before;
    assert!(
        flushed < SAVES,
        "{flushed} flushes were not noticed to be others'"
    );
}
