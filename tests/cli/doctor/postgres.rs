//! Faults of a server, and privileges that are missing.

use std::time::{Duration, Instant};

use es_system::testing::postgres::cluster;
use tests::PATIENCE;

use super::{Fault, findings, missed};
use crate::tool::{Place, on_postgres, place_of};

const FAULTS: [Fault; 6] = [
    Fault {
        name: "automatic vacuum of the events",
        plant: |place| {
            sql(
                place,
                "ALTER TABLE dogschool_events RESET (autovacuum_vacuum_insert_threshold)",
            );
        },
        subject: "DogSchool",
        check: "vacuum",
        problem: "holds up writers",
        repair: "ALTER TABLE \"public\".\"dogschool_events\" SET (autovacuum_vacuum_insert_threshold = -1)",
    },
    Fault {
        name: "a sequence behind the events",
        plant: |place| {
            sql(
                place,
                "SELECT setval(pg_get_serial_sequence('dogschool_events', 'notification_id'), 2)",
            );
        },
        subject: "DogSchool",
        check: "sequence",
        problem: "is at 2, behind the last event at 5",
        repair: "SELECT setval(",
    },
    Fault {
        name: "commits that are not flushed",
        plant: |place| place.env.set("LEDGER_POSTGRES_SYNCHRONOUS_COMMIT", "off"),
        subject: "Ledger",
        check: "flushes",
        problem: "synchronous_commit is off",
        repair: "POSTGRES_SYNCHRONOUS_COMMIT",
    },
    Fault {
        name: "a schema that does not exist",
        plant: |place| place.env.set("COUNTERS_POSTGRES_SCHEMA", "nowhere"),
        subject: "Counters",
        check: "store",
        problem: "there is no schema `nowhere`",
        repair: "mend what the error names",
    },
    Fault {
        name: "a server that is not there",
        plant: |place| {
            place.env.set("COUNTERS_POSTGRES_PORT", "1");
            place.env.set("COUNTERS_POSTGRES_CONNECT_TIMEOUT", "0.2");
        },
        subject: "Counters",
        check: "store",
        problem: "connecting failed",
        repair: "start the server",
    },
    Fault {
        name: "a database that does not exist",
        plant: |place| place.env.set("COUNTERS_POSTGRES_DBNAME", "nowhere"),
        subject: "Counters",
        check: "store",
        problem: "nowhere",
        repair: "mend what the error names",
    },
];

#[test]
fn each_fault_on_postgresql_is_found_with_its_repair() {
    let Some(mut place) = on_postgres() else {
        return;
    };
    place.fill();
    let mut missing = Vec::new();
    for fault in &FAULTS {
        let env = place.env.clone();
        missing.extend(missed(&mut place, fault));
        place.env = env;
        sql(
            &place,
            "ALTER TABLE dogschool_events SET (autovacuum_vacuum_insert_threshold = -1)",
        );
        sql(
            &place,
            "SELECT setval(pg_get_serial_sequence('dogschool_events', 'notification_id'), 5)",
        );
    }
    assert!(missing.is_empty(), "{}", missing.concat());
    assert_eq!(place.run(&["doctor"]).code, 0, "nothing is left of them");
}

#[test]
fn a_server_that_writes_half_pages_is_found() {
    let Some(cluster) = cluster() else { return };
    let mut place = place_of(cluster.database());
    place.fill();
    let fault = Fault {
        name: "full_page_writes is off",
        plant: |place| {
            sql(place, "ALTER SYSTEM SET full_page_writes = off");
            sql(place, "SELECT pg_reload_conf()");
            let began = Instant::now();
            while shown(place, "SHOW full_page_writes") == "on" {
                assert!(
                    began.elapsed() < PATIENCE,
                    "the server has read its settings"
                );
                std::thread::sleep(Duration::from_millis(10));
            }
        },
        subject: "DogSchool",
        check: "flushes",
        problem: "the server has full_page_writes=off",
        repair: "ALTER SYSTEM SET full_page_writes = on",
    };
    assert_eq!(missed(&mut place, &fault), None);
}

/// Gives the place a role of its own that may do only some things.
fn restrict(place: &mut Place, role: &str) {
    for statement in [
        format!("CREATE ROLE {role} LOGIN PASSWORD 'sesame' CONNECTION LIMIT 10"),
        format!("GRANT USAGE ON SCHEMA public TO {role}"),
        format!("GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"),
        format!("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"),
    ] {
        sql(place, &statement);
    }
    place.env.set("POSTGRES_USER", role);
    place.env.set("POSTGRES_PASSWORD", "sesame");
}

#[test]
fn a_role_is_told_what_it_lacks_and_what_it_cannot_see() {
    let Some(cluster) = cluster() else { return };
    let mut place = place_of(cluster.database());
    place.fill();
    restrict(&mut place, "reader");
    let role = [
        Fault {
            name: "a privilege that is missing",
            plant: |_| {},
            subject: "Counters",
            check: "privileges",
            problem: "the role `reader` may not INSERT on \"public\".\"counters_events\"",
            repair: "GRANT SELECT, INSERT, UPDATE ON \"public\".\"counters_events\" TO \"reader\"",
        },
        Fault {
            name: "too few connections",
            plant: |_| {},
            subject: "",
            check: "connections",
            problem: "needs 11 connections",
            repair: "CONNECTION LIMIT",
        },
    ];
    assert_eq!(missed(&mut place, &role[0]), None);
    let out = place.run(&["doctor", "--json"]).out;
    let found = |check: &str, result: &str, part: &str| {
        findings(&out).iter().any(|one| {
            one["check"] == check
                && one["result"] == result
                && one["found"]
                    .as_str()
                    .is_some_and(|found| found.contains(part))
        })
    };
    assert!(found("connections", "problem", role[1].problem), "{out}");
    let sequence = "the role may not read the sequence";
    assert!(found("sequence", "unknown", sequence), "{out}");
    assert!(
        found("transactions", "unknown", "pg_read_all_stats"),
        "{out}"
    );
    let text = place.run(&["doctor"]).out;
    assert!(
        text.contains("could not check: the role may not read the sequence"),
        "{text}"
    );
}

fn sql(place: &Place, statement: &str) {
    let database = place.database();
    let done = database.connect().batch_execute(statement);
    done.expect("it is executed");
}

fn shown(place: &Place, statement: &str) -> String {
    let row = place.database().connect().query_one(statement, &[]);
    row.expect("a row").get(0)
}
