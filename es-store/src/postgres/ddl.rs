//! The statements that create what an application needs.

use super::names::{Names, literal, quoted};
use super::sql;
use crate::Role;

/// The version of our own tables.
pub(super) const FORMAT: &str = "1";

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
    let meta = [("format", FORMAT), ("application", application)].map(|(key, value)| {
        let (meta, value) = (names.path(&names.meta), literal(value));
        format!("INSERT INTO {meta} (key, value) VALUES ('{key}', {value})")
    });
    let mark = (role == Role::Follower).then(|| {
        let tracking = names.path(&names.tracking);
        format!(
            "INSERT INTO {tracking} (application_name, notification_id) VALUES ('__migration__', 1)"
        )
    });
    let statements = shared
        .chain(own)
        .chain([append(names)])
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

/// A vacuum that is started by inserts would find the table locked, and make its writers wait, again and again.
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

/// The function that appends: all of a group in one call, if nothing stands against it.
pub(super) fn append(names: &Names) -> String {
    let id = names.id;
    format!(
        "CREATE FUNCTION {}(ids {id}[], versions bigint[], topics text[], states bytea[], \
         first_ids {id}[], first_versions bigint[], upstreams text[], froms bigint[], tos bigint[], \
         at_upstreams text[], at_positions bigint[], at_ids text[], at_versions bigint[]) \
         RETURNS TABLE (notification_id bigint, originator_id {id}, originator_version bigint) \
         LANGUAGE plpgsql VOLATILE AS {}",
        names.path(&names.append),
        literal(&append_body(names))
    )
}

/// It answers with a row of nulls, having done nothing, if a version is there already or does not follow, or a position
/// is another one: then plain statements find out what it is. Each statement in it begins after the lock is held, and so sees
/// all that was committed before.
pub(super) fn append_body(names: &Names) -> String {
    let (events, tracking) = (names.path(&names.events), names.path(&names.tracking));
    let start = sql::start_tracking(names, "upstreams");
    let shift = sql::move_tracking(names, "upstreams", "froms", "tos");
    let keep = sql::keep_upstream(
        names,
        "at_upstreams",
        "at_positions",
        "at_ids",
        "at_versions",
    );
    let insert = sql::insert(names, "ids", "versions", "topics", "states");
    let channel = quoted(&names.events);
    let id = names.id;
    format!(
        "
#variable_conflict use_column
DECLARE moved bigint;
BEGIN
    IF cardinality(ids) > 0 THEN
        LOCK TABLE {events} IN EXCLUSIVE MODE;
        IF EXISTS (SELECT FROM unnest(first_ids, first_versions) AS f(id, version) WHERE f.version - 1 <> coalesce(
            (SELECT t.originator_version FROM {events} AS t WHERE t.originator_id = f.id
             ORDER BY t.originator_version DESC LIMIT 1), 0))
        THEN
            RETURN QUERY SELECT NULL::bigint, NULL::{id}, NULL::bigint;
            RETURN;
        END IF;
    END IF;
    IF cardinality(upstreams) > 0 THEN
        IF EXISTS (SELECT FROM unnest(upstreams, froms) AS m(upstream, start) WHERE m.start <> coalesce(
            (SELECT t.notification_id FROM {tracking} AS t WHERE t.application_name = m.upstream), 0))
        THEN
            RETURN QUERY SELECT NULL::bigint, NULL::{id}, NULL::bigint;
            RETURN;
        END IF;
        IF 0 = ANY (froms) THEN
            {start};
        END IF;
        {shift};
        GET DIAGNOSTICS moved = ROW_COUNT;
        IF moved <> cardinality(upstreams) THEN
            RAISE EXCEPTION 'a position was moved meanwhile' USING ERRCODE = 'ES001';
        END IF;
        IF cardinality(at_upstreams) > 0 THEN
            {keep};
        END IF;
    END IF;
    IF cardinality(ids) > 0 THEN
        RETURN QUERY {insert};
        NOTIFY {channel};
    END IF;
END;
"
    )
}
