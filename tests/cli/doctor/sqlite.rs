//! Faults of settings, files and followers.

use std::fs;
use std::path::Path;

use super::{Fault, missed};
use crate::tool::{Place, sqlite};

const FAULTS: [Fault; 23] = [
    Fault {
        name: "a key with a wrong letter",
        plant: |place| place.env.set("COUNTERS_POLL_INTERVALL", "1"),
        subject: "environment",
        check: "settings",
        problem: "COUNTERS_POLL_INTERVALL is set, and nothing reads it",
        repair: "rename it to COUNTERS_POLL_INTERVAL",
    },
    Fault {
        name: "a key of a misspelled application",
        plant: |place| place.env.set("COUNTER_POLL_INTERVAL", "1"),
        subject: "environment",
        check: "settings",
        problem: "COUNTER_POLL_INTERVAL",
        repair: "rename it to COUNTERS_POLL_INTERVAL",
    },
    Fault {
        name: "a store in memory",
        plant: |place| place.env.set("COUNTERS_PERSISTENCE_MODULE", "memory"),
        subject: "Counters",
        check: "store",
        problem: "its store is in memory",
        repair: "set PERSISTENCE_MODULE",
    },
    Fault {
        name: "a module that does not exist",
        plant: |place| place.env.set("LEDGER_PERSISTENCE_MODULE", "oracle"),
        subject: "Ledger",
        check: "store",
        problem: "LEDGER_PERSISTENCE_MODULE is `oracle`",
        repair: "mend what the error names",
    },
    Fault {
        name: "no name of a database",
        plant: |place| place.env.set("COUNTERS_SQLITE_DBNAME", ""),
        subject: "Counters",
        check: "store",
        problem: "COUNTERS_SQLITE_DBNAME",
        repair: "mend what the error names",
    },
    Fault {
        name: "a missing file",
        plant: |place| fs::remove_file(place.file("Ledger")).expect("it is there"),
        subject: "Ledger",
        check: "store",
        problem: "the file does not exist",
        repair: "`ddl Ledger`",
    },
    Fault {
        name: "a file that is no database",
        plant: |place| fs::write(place.file("Ledger"), [7; 4096]).expect("it is written"),
        subject: "Ledger",
        check: "store",
        problem: "not a database",
        repair: "mend what the error names",
    },
    Fault {
        name: "the file of another application",
        plant: |place| {
            let file = place.file("DogSchool").display().to_string();
            place.env.set("COUNTERS_SQLITE_DBNAME", file);
        },
        subject: "Counters",
        check: "store",
        problem: "belongs to the application `DogSchool`",
        repair: "mend what the error names",
    },
    Fault {
        name: "a table that is missing",
        plant: |place| sql(place, "Counters", "DROP TABLE es_policies"),
        subject: "Counters",
        check: "store",
        problem: "this command creates nothing",
        repair: "start a program of the system once",
    },
    Fault {
        name: "tables of a later release",
        plant: |place| {
            let later = "UPDATE es_meta SET value = '9' WHERE key = 'format'";
            sql(place, "Counters", later);
        },
        subject: "Counters",
        check: "store",
        problem: "its tables have format 9",
        repair: "mend what the error names",
    },
    Fault {
        name: "an interval that is no number",
        plant: |place| place.env.set("POLL_INTERVAL", "soon"),
        subject: "DogSchool",
        check: "store",
        problem: "POLL_INTERVAL is `soon`",
        repair: "set the key that is named",
    },
    Fault {
        name: "a limit that is no number",
        plant: |place| place.env.set("COUNTERS_CYCLE_EVENTS_MAX", "many"),
        subject: "Counters",
        check: "store",
        problem: "CYCLE_EVENTS_MAX is `many`",
        repair: "set the key that is named",
    },
    Fault {
        name: "a rule that does not exist",
        plant: |place| place.env.set("LEDGER_ON_ERROR", "perhaps"),
        subject: "Ledger",
        check: "store",
        problem: "LEDGER_ON_ERROR",
        repair: "mend what the error names",
    },
    Fault {
        name: "a cipher without a key",
        plant: |place| place.env.set("DOGSCHOOL_CIPHER_TOPIC", "aes"),
        subject: "DogSchool",
        check: "store",
        problem: "CIPHER_KEY",
        repair: "mend what the error names",
    },
    Fault {
        name: "a key with which the events were not written",
        plant: |place| {
            place.env.set("DOGSCHOOL_CIPHER_TOPIC", "aes");
            let key = es_system::store::create_key(32).expect("a key");
            place.env.set("DOGSCHOOL_CIPHER_KEY", key);
        },
        subject: "DogSchool",
        check: "events",
        problem: "cannot be decrypted",
        repair: "CIPHER_KEYS_OLD",
    },
    Fault {
        name: "an event that is damaged",
        plant: |place| {
            let damage = "UPDATE stored_events SET state = x'7B' WHERE rowid = 4";
            sql(place, "DogSchool", damage);
        },
        subject: "DogSchool",
        check: "events",
        problem: "the last of 2 events `dogschool:Dog.Registered` cannot be decoded",
        repair: "run a program that has its type",
    },
    Fault {
        name: "a kind of event that no code reads",
        plant: |place| {
            let sold = "UPDATE stored_events SET topic = 'dogschool:Dog.Sold' WHERE rowid = 3";
            sql(place, "DogSchool", sold);
        },
        subject: "DogSchool",
        check: "events",
        problem: "no code of this program reads the 1 events `dogschool:Dog.Sold`",
        repair: "run the program that knows them",
    },
    Fault {
        name: "an event of a later version",
        plant: |place| replace_in_state(place, 4, "Rex\"}", "Rex\", \"class_version\": 9}"),
        subject: "DogSchool",
        check: "events",
        problem: "version 9",
        repair: "write the upcaster that is missing",
    },
    Fault {
        name: "an event from the future",
        plant: |place| replace_in_state(place, 5, "\"20", "\"21"),
        subject: "DogSchool",
        check: "time",
        problem: "the newest event is from the future",
        repair: "NTP",
    },
    Fault {
        name: "a position beyond the end",
        plant: |place| {
            sql(
                place,
                "DogSchool",
                "DELETE FROM stored_events WHERE rowid = 5",
            );
        },
        subject: "Counters <- DogSchool",
        check: "position",
        problem: "it ends at position 4, and position 5 is processed",
        repair: "restore the follower to the same moment as its upstream",
    },
    Fault {
        name: "another event at the position",
        plant: |place| replace_in_state(place, 5, "roll over", "play dead"),
        subject: "TrickTable <- DogSchool",
        check: "position",
        problem: "the same version with another content is there",
        repair: "restore the follower to the same moment as its upstream",
    },
    Fault {
        name: "a file that can only be read",
        plant: |place| {
            let uri = format!("file:{}?mode=ro", place.file("Counters").display());
            place.env.set("COUNTERS_SQLITE_DBNAME", uri);
        },
        subject: "Counters",
        check: "privileges",
        problem: "the file can only be read",
        repair: "let the user of this program write",
    },
    Fault {
        name: "a file with a damaged page",
        plant: damage_a_page,
        subject: "Counters",
        check: "storage",
        problem: "the file is damaged",
        repair: "restore the file from a backup",
    },
];

#[test]
fn each_fault_on_sqlite_is_found_with_its_repair() {
    let well = sqlite();
    well.fill();
    let mut missing = Vec::new();
    for fault in &FAULTS {
        let mut place = sqlite();
        copy(well.folder.path(), place.folder.path());
        missing.extend(missed(&mut place, fault));
    }
    assert!(missing.is_empty(), "{}", missing.concat());
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the folder is there") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("it is copied");
    }
}

fn sql(place: &Place, application: &str, statement: &str) {
    let connection = rusqlite::Connection::open(place.file(application)).expect("the file");
    connection.execute_batch(statement).expect("it is executed");
}

/// Replaces a text in the state of an event of the school.
fn replace_in_state(place: &Place, position: i64, from: &str, to: &str) {
    let connection = rusqlite::Connection::open(place.file("DogSchool")).expect("the file");
    let state: Vec<u8> = connection
        .query_row(
            "SELECT state FROM stored_events WHERE rowid = ?1",
            [position],
            |row| row.get(0),
        )
        .expect("the event is there");
    let state = String::from_utf8(state).expect("text");
    let changed = state.replace(from, to);
    assert_ne!(changed, state);
    let update = "UPDATE stored_events SET state = ?1 WHERE rowid = ?2";
    let changed = (changed.into_bytes(), position);
    connection.execute(update, changed).expect("it is executed");
}

/// Writes over the page with the rows of the events.
fn damage_a_page(place: &mut Place) {
    let path = place.file("Counters");
    let connection = rusqlite::Connection::open(&path).expect("the file");
    let root = "SELECT rootpage FROM sqlite_master WHERE name = 'stored_snapshots'";
    let page: usize = connection
        .query_row(root, [], |row| row.get::<_, i64>(0))
        .expect("the table is there")
        .try_into()
        .expect("a page");
    drop(connection);
    let mut bytes = fs::read(&path).expect("the file");
    let start = (page - 1) * 4096;
    bytes[start..start + 64].fill(0xAB);
    fs::write(&path, bytes).expect("it is written");
}
