//! The statements that create the tables, indexes and types of an application.

use super::functions;
use super::names::Names;
use crate::role::Role;
use crate::sql::followed::{BEGINS, STANDS, STOPS};
use crate::sql::names::{literal, quoted};
use crate::sql::schema::{MIGRATION_MARK, meta_rows};

/// A table, index or type that an application needs.
pub(super) struct DatabaseObject {
    /// The object's name, without the schema.
    pub(super) name: String,
    pub(super) create: String,
}

/// Returns everything that every application needs, in the order of creation: Python's objects
/// first, then our own.
pub(super) fn objects(names: &Names, role: Role) -> Vec<DatabaseObject> {
    let mut objects = vec![
        stored_event(names),
        events(names),
        index(names),
        meta(names),
    ];
    if role == Role::Follower {
        let own = [upstream(names), policies(names)];
        objects.push(tracking(names));
        objects.extend(own);
    }
    objects
}

/// Returns all statements, including those for the initial rows, to be run by hand.
pub(super) fn script(names: &Names, application: &str, role: Role) -> String {
    let (shared, own): (Vec<_>, Vec<_>) = objects(names, role)
        .into_iter()
        .partition(|object| object.name == names.stored_event);
    let shared = shared.iter().map(|object| {
        format!(
            "DO $$ BEGIN {}; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
            object.create
        )
    });
    let aside = (role == Role::Follower).then(|| aside(names));
    let own = own
        .into_iter()
        .chain(aside.into_iter().flatten())
        .chain([snapshots(names)])
        .map(|object| object.create);
    let meta = meta_rows(application).map(|(key, value)| {
        let (meta, value) = (names.path(&names.meta), literal(value));
        format!("INSERT INTO {meta} (key, value) VALUES ('{key}', {value})")
    });
    let mark = (role == Role::Follower).then(|| {
        let tracking = names.path(&names.tracking);
        format!(
            "INSERT INTO {tracking} (application_name, notification_id) VALUES ('{MIGRATION_MARK}', 1)"
        )
    });
    let statements = shared
        .chain(own)
        .chain(functions::functions(names).map(|function| function.create))
        .chain(meta)
        .chain(mark);
    statements.map(|statement| statement + ";\n").collect()
}

fn stored_event(names: &Names) -> DatabaseObject {
    let columns = format!(
        "AS (originator_id {}, originator_version bigint, topic text, state bytea)",
        names.id
    );
    DatabaseObject {
        create: format!("CREATE TYPE {} {columns}", names.path(&names.stored_event)),
        name: names.stored_event.clone(),
    }
}

/// Inserts do not trigger a vacuum here. It would find the table locked and make its writers wait,
/// again and again.
fn events(names: &Names) -> DatabaseObject {
    let columns = format!(
        "originator_id {} NOT NULL, originator_version bigint NOT NULL, topic text, state bytea, \
         notification_id bigserial, PRIMARY KEY (originator_id, originator_version)",
        names.id
    );
    let table = table(names, &names.events, &columns);
    DatabaseObject {
        create: table.create + " WITH (autovacuum_vacuum_insert_threshold = -1)",
        ..table
    }
}

fn index(names: &Names) -> DatabaseObject {
    DatabaseObject {
        name: names.index.clone(),
        create: format!(
            "CREATE UNIQUE INDEX {} ON {} (notification_id ASC)",
            quoted(&names.index),
            names.path(&names.events)
        ),
    }
}

/// The rows of tracking are updated often. The fill factor leaves free space in each page, so that
/// an update touches no index.
fn tracking(names: &Names) -> DatabaseObject {
    let columns = "application_name text, notification_id bigint, PRIMARY KEY (application_name)";
    let table = table(names, &names.tracking, columns);
    DatabaseObject {
        create: table.create + " WITH (fillfactor = 50)",
        ..table
    }
}

fn meta(names: &Names) -> DatabaseObject {
    table(
        names,
        &names.meta,
        "key text, value text, PRIMARY KEY (key)",
    )
}

fn upstream(names: &Names) -> DatabaseObject {
    let columns = "application_name text, notification_id bigint, originator_id text, originator_version bigint, \
                   identity text, identity_at bigint, policies text, policies_at bigint, \
                   PRIMARY KEY (application_name)";
    let table = table(names, &names.upstream, columns);
    DatabaseObject {
        create: table.create + " WITH (fillfactor = 50)",
        ..table
    }
}

/// The columns of the table of upstreams that earlier releases have not created, with their types.
pub(super) const ADDED_COLUMNS: [(&str, &str); 4] = [
    ("identity", "text"),
    ("identity_at", "bigint"),
    ("policies", "text"),
    ("policies_at", "bigint"),
];

/// Returns the statement that adds these columns to the table of upstreams.
pub(super) fn add_columns(names: &Names, columns: &[(&str, &str)]) -> String {
    let columns = columns.iter();
    let columns = columns.map(|(name, kind)| format!("ADD COLUMN IF NOT EXISTS {name} {kind}"));
    let columns = columns.collect::<Vec<_>>().join(", ");
    format!("ALTER TABLE {} {columns}", names.path(&names.upstream))
}

fn policies(names: &Names) -> DatabaseObject {
    let columns = "upstream text, topic text, covered bigint, PRIMARY KEY (upstream, topic)";
    table(names, &names.policies, columns)
}

/// Returns the tables of what is set aside, with their indexes. Texts are compared by their bytes,
/// and not by the rules of the database's language.
pub(super) fn aside(names: &Names) -> [DatabaseObject; 6] {
    let failures = "upstream text COLLATE \"C\", position bigint, sequence text COLLATE \"C\", originator_id text, \
                    originator_version bigint, topic text, identity text, attempts bigint, due bigint, first_at bigint, \
                    last_at bigint, error text, decision text, decided_by text, decided_at bigint, \
                    PRIMARY KEY (upstream, position)";
    let operations = "id bigint, kind text, upstream text COLLATE \"C\", position bigint, happened_at bigint, \
                      who text, detail text, PRIMARY KEY (id)";
    let index = |name: &str, table: &str, columns: &str| DatabaseObject {
        name: name.to_owned(),
        create: format!(
            "CREATE INDEX {} ON {} {columns}",
            quoted(name),
            names.path(table)
        ),
    };
    [
        table(names, &names.failures, failures),
        index(
            &names.waiting_index,
            &names.failures,
            "(upstream, sequence, position, due) WHERE decision IS NULL",
        ),
        table(names, &names.operations, operations),
        index(
            &names.standing_index,
            &names.operations,
            &format!("(upstream, id) WHERE {STANDS}"),
        ),
        index(
            &names.stopped_index,
            &names.operations,
            &format!("(upstream, id) WHERE {STOPS}"),
        ),
        index(
            &names.began_index,
            &names.operations,
            &format!("(upstream, id) WHERE {BEGINS}"),
        ),
    ]
}

/// Returns the table of snapshots.
pub(super) fn snapshots(names: &Names) -> DatabaseObject {
    let columns = format!(
        "originator_id {} NOT NULL, originator_version bigint NOT NULL, topic text, state bytea, \
         PRIMARY KEY (originator_id, originator_version)",
        names.id
    );
    table(names, &names.snapshots, &columns)
}

fn table(names: &Names, name: &str, columns: &str) -> DatabaseObject {
    DatabaseObject {
        name: name.to_owned(),
        create: format!("CREATE TABLE {} ({columns})", names.path(name)),
    }
}
