//! The raw driver, as one who knows it well uses it: WAL, prepared statements, one transaction for a group.

use std::path::Path;
use std::sync::{Condvar, Mutex};

use rusqlite::{Connection, TransactionBehavior, params};

/// A row of stored events.
pub struct Row {
    pub id: String,
    pub version: i64,
    pub topic: &'static str,
    pub state: Vec<u8>,
}

const INSERT: &str = "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?1, ?2, ?3, ?4)";

/// A database with the table that the library has, as durable.
pub fn open(file: &Path) -> Connection {
    let connection = Connection::open(file).expect("the folder is there");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB, \
             PRIMARY KEY (originator_id, originator_version))",
        )
        .expect("a new file");
    connection
}

/// Inserts rows in one transaction.
pub fn insert(connection: &mut Connection, rows: &[Row]) {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = transaction.expect("nobody else has the lock");
    {
        let mut insert = transaction
            .prepare_cached(INSERT)
            .expect("the statement is right");
        for row in rows {
            insert
                .execute(params![row.id, row.version, row.topic, row.state])
                .expect("a new row");
        }
    }
    transaction.commit().expect("there is room");
}

/// Many writers, one connection, one transaction for all that wait.
pub struct Group {
    state: Mutex<State>,
    committed: Condvar,
    connection: Mutex<Connection>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Row>,
    leading: bool,
    /// Which group is being collected, and how many are committed.
    collecting: u64,
    done: u64,
}

impl Group {
    pub fn new(connection: Connection) -> Self {
        let state = State {
            collecting: 1,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            committed: Condvar::new(),
            connection: Mutex::new(connection),
        }
    }

    /// Returns when the row is committed. Who comes first commits for all who came.
    pub fn append(&self, row: Row) {
        let mut state = self.state.lock().expect("no panic");
        state.waiting.push(row);
        let mine = state.collecting;
        while state.done < mine {
            if state.leading {
                state = self.committed.wait(state).expect("no panic");
                continue;
            }
            let rows = std::mem::take(&mut state.waiting);
            let group = state.collecting;
            state.collecting += 1;
            state.leading = true;
            drop(state);
            insert(&mut self.connection.lock().expect("no panic"), &rows);
            state = self.state.lock().expect("no panic");
            state.leading = false;
            state.done = group;
            self.committed.notify_all();
        }
    }
}
