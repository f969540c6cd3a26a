//! The statements that create what an application needs.

use super::functions;
use super::names::Names;
use crate::role::Role;
use crate::sql::names::{literal, quoted};
use crate::sql::schema::{MIGRATION_MARK, meta_rows};

/// Something that there must be.
pub(super) struct Thing {
    /// Its name, without the schema.
    pub(super) name: String,
    pub(super) create: String,
}

/// All that an application needs, in the order in which it can be created: Python's, then our own.
pub(super) fn things(names: &Names, role: Role) -> Vec<Thing> {
    let mut things = vec![
        stored_event(names),
        events(names),
        index(names),
        meta(names),
    ];
    if role == Role::Follower {
        things.extend([tracking(names), upstream(names), failures(names)]);
    }
    things
}

/// All statements, with the rows that must be there, to be run by hand.
pub(super) fn script(names: &Names, application: &str, role: Role) -> String {
    let (shared, own): (Vec<_>, Vec<_>) = things(names, role)
        .into_iter()
        .partition(|thing| thing.name == names.stored_event);
    let shared = shared.iter().map(|thing| {
        format!(
            "DO $$ BEGIN {}; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
            thing.create
        )
    });
    let own = own
        .into_iter()
        .chain([snapshots(names)])
        .map(|thing| thing.create);
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

fn stored_event(names: &Names) -> Thing {
    let columns = format!(
        "AS (originator_id {}, originator_version bigint, topic text, state bytea)",
        names.id
    );
    Thing {
        create: format!("CREATE TYPE {} {columns}", names.path(&names.stored_event)),
        name: names.stored_event.clone(),
    }
}

/// A vacuum that is started by inserts would find the table locked, and make its writers wait,
/// again and again.
fn events(names: &Names) -> Thing {
    let columns = format!(
        "originator_id {} NOT NULL, originator_version bigint NOT NULL, topic text, state bytea, \
         notification_id bigserial, PRIMARY KEY (originator_id, originator_version)",
        names.id
    );
    let table = table(names, &names.events, &columns);
    Thing {
        create: table.create + " WITH (autovacuum_vacuum_insert_threshold = -1)",
        ..table
    }
}

fn index(names: &Names) -> Thing {
    Thing {
        name: names.index.clone(),
        create: format!(
            "CREATE UNIQUE INDEX {} ON {} (notification_id ASC)",
            quoted(&names.index),
            names.path(&names.events)
        ),
    }
}

/// Its rows are updated again and again: with room beside them that touches no index.
fn tracking(names: &Names) -> Thing {
    let columns = "application_name text, notification_id bigint, PRIMARY KEY (application_name)";
    let table = table(names, &names.tracking, columns);
    Thing {
        create: table.create + " WITH (fillfactor = 50)",
        ..table
    }
}

fn meta(names: &Names) -> Thing {
    table(
        names,
        &names.meta,
        "key text, value text, PRIMARY KEY (key)",
    )
}

fn upstream(names: &Names) -> Thing {
    let columns = "application_name text, notification_id bigint, originator_id text, originator_version bigint, \
                   PRIMARY KEY (application_name)";
    let table = table(names, &names.upstream, columns);
    Thing {
        create: table.create + " WITH (fillfactor = 50)",
        ..table
    }
}

fn failures(names: &Names) -> Thing {
    let columns = "application_name text, notification_id bigint, originator_id text, originator_version bigint, \
                   topic text, error text, attempts bigint, failed_on text, \
                   PRIMARY KEY (application_name, notification_id)";
    table(names, &names.failures, columns)
}

/// The table of snapshots, which is made when there is one to keep.
pub(super) fn snapshots(names: &Names) -> Thing {
    let columns = format!(
        "originator_id {} NOT NULL, originator_version bigint NOT NULL, topic text, state bytea, \
         PRIMARY KEY (originator_id, originator_version)",
        names.id
    );
    table(names, &names.snapshots, &columns)
}

fn table(names: &Names, name: &str, columns: &str) -> Thing {
    Thing {
        name: name.to_owned(),
        create: format!("CREATE TABLE {} ({columns})", names.path(name)),
    }
}
