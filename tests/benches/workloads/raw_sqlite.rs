//! SQLite by its driver: WAL, prepared statements, and one transaction for a group.

use std::path::Path;

use es_system::prelude::Uuid;
use rusqlite::{Connection, TransactionBehavior, params};

use crate::group::Raw;
use crate::stored::{Loaded, Row};

const INSERT: &str = "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?1, ?2, ?3, ?4)";
const LOAD: &str = "SELECT originator_version, topic, state FROM stored_events WHERE originator_id = ?1 \
                    ORDER BY originator_version";

pub struct RawSqlite(Connection);

impl RawSqlite {
    /// Opens a database with the table of the library and the same durability.
    pub fn open(file: &Path) -> Self {
        let connection = Connection::open(file).expect("the folder is there");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB, \
                 PRIMARY KEY (originator_id, originator_version))",
            )
            .expect("a new file");
        Self(connection)
    }
}

impl Raw for RawSqlite {
    fn load(&mut self, id: Uuid) -> Loaded {
        let mut buffer = Uuid::encode_buffer();
        let id: &str = id.simple().encode_lower(&mut buffer);
        let mut statement = self.0.prepare_cached(LOAD).expect("the statement is right");
        let mut rows = statement.query(params![id]).expect("the table is there");
        let mut loaded = Loaded::default();
        while let Some(row) = rows.next().expect("a row") {
            let topic = row.get_ref(1).expect("a column").as_str().expect("text");
            let state = row.get_ref(2).expect("a column").as_blob().expect("bytes");
            loaded.apply(row.get(0).expect("a number"), topic, state);
        }
        loaded
    }

    fn append(&mut self, rows: &[Row]) {
        let transaction = self
            .0
            .transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = transaction.expect("nobody else has the lock");
        {
            let mut insert = transaction
                .prepare_cached(INSERT)
                .expect("the statement is right");
            for row in rows {
                let mut buffer = Uuid::encode_buffer();
                let id: &str = row.id.simple().encode_lower(&mut buffer);
                insert
                    .execute(params![id, row.version, row.topic, row.state])
                    .expect("a new row");
            }
        }
        transaction.commit().expect("there is room");
    }
}
