//! PostgreSQL by its driver: prepared statements, arrays, and one call of a server function for a
//! transaction.

use es_system::prelude::{Env, Uuid};
use postgres::{Client, Config, NoTls, Statement};

use crate::group::Raw;
use crate::stored::{Loaded, Row};

/// The table and the index that the library has, filled by the same statements in the fewest round
/// trips. The lock keeps the order of positions, the NOTIFY wakes readers, and whoever saves is
/// told the positions: ours owes all three.
const SCHEMA: &str = "
CREATE TABLE stored_events (
    originator_id uuid NOT NULL, originator_version bigint NOT NULL, topic text, state bytea,
    notification_id bigserial, PRIMARY KEY (originator_id, originator_version)
) WITH (autovacuum_vacuum_insert_threshold = -1);
CREATE UNIQUE INDEX stored_events_log ON stored_events (notification_id ASC);

CREATE FUNCTION append_one(id uuid, version bigint, topic text, state bytea) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE position bigint;
BEGIN
    LOCK TABLE stored_events IN EXCLUSIVE MODE;
    INSERT INTO stored_events VALUES (id, version, topic, state) RETURNING notification_id INTO position;
    NOTIFY stored_events;
    RETURN position;
END $$;

CREATE FUNCTION append_all(ids uuid[], versions bigint[], topics text[], states bytea[]) RETURNS SETOF bigint
LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE stored_events IN EXCLUSIVE MODE;
    RETURN QUERY INSERT INTO stored_events (originator_id, originator_version, topic, state)
        SELECT * FROM unnest(ids, versions, topics, states) RETURNING notification_id;
    NOTIFY stored_events;
END $$;
";
const LOAD: &str = "SELECT originator_version, topic, state FROM stored_events WHERE originator_id = $1 \
                    ORDER BY originator_version";

pub struct RawPostgres {
    client: Client,
    load: Statement,
    append_one: Statement,
    append_all: Statement,
}

impl RawPostgres {
    /// Makes the table in a new database. The server commits as durably as it is set up to, for
    /// both sides.
    pub fn open(env: &Env) -> Self {
        let mut client = connect(env);
        client.batch_execute(SCHEMA).expect("a new database");
        let mut prepare = |sql| client.prepare(sql).expect("the statement is right");
        let load = prepare(LOAD);
        let append_one = prepare("SELECT append_one($1, $2, $3, $4)");
        let append_all = prepare("SELECT append_all($1, $2, $3, $4)");
        Self {
            client,
            load,
            append_one,
            append_all,
        }
    }
}

fn connect(env: &Env) -> Client {
    let get = |key| env.get(key).expect("a setting of the server for tests");
    Config::new()
        .host(get("POSTGRES_HOST"))
        .port(get("POSTGRES_PORT").parse().expect("a port"))
        .dbname(get("POSTGRES_DBNAME"))
        .user(get("POSTGRES_USER"))
        .password(get("POSTGRES_PASSWORD"))
        .connect(NoTls)
        .expect("the database of the test can be reached")
}

impl Raw for RawPostgres {
    fn load(&mut self, id: Uuid) -> Loaded {
        let rows = self.client.query(&self.load, &[&id]).expect("rows");
        let mut loaded = Loaded::default();
        for row in &rows {
            loaded.apply(row.get(0), row.get(1), row.get(2));
        }
        loaded
    }

    fn append(&mut self, rows: &[Row]) {
        // A single row needs no arrays.
        let positions = if let [row] = rows {
            let params: [&(dyn postgres::types::ToSql + Sync); 4] =
                [&row.id, &row.version, &row.topic, &row.state];
            self.client.query(&self.append_one, &params)
        } else {
            let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
            let versions: Vec<i64> = rows.iter().map(|row| row.version).collect();
            let topics: Vec<&str> = rows.iter().map(|row| row.topic).collect();
            let states: Vec<&[u8]> = rows.iter().map(|row| &*row.state).collect();
            self.client
                .query(&self.append_all, &[&ids, &versions, &topics, &states])
        };
        let positions = positions.expect("new rows");
        let positions: Vec<i64> = positions.iter().map(|row| row.get(0)).collect();
        std::hint::black_box(positions);
    }
}
