//! The server-side functions that append events in one round trip.
//!
//! Each function does nothing and returns nulls if a version exists already, leaves a gap, or a
//! position was moved. Plain statements then find out which it is. Each statement of a function
//! begins after the lock was taken, and so sees everything that was committed before.
//!
//! A function raises an error if the sequence of positions lies behind the events, as after a copy
//! of the tables that left it out. Readers have passed the positions that it would give. So the new
//! positions are compared with the last one, which is one look into the index.

use super::codes::SEQUENCE_BEHIND;
use super::names::Names;
use super::sql::{self, positions};
use crate::sql::names::{literal, quoted};

/// A function, which may be missing or replaced by another one of that name.
pub(super) struct Function {
    /// The name and parameter types, as the catalogue looks a function up.
    pub(super) signature: String,
    pub(super) body: String,
    pub(super) create: String,
}

/// Returns both functions. The first appends a group. The second appends a single event, for which
/// arrays would cost more than everything else.
pub(super) fn functions(names: &Names) -> [Function; 2] {
    [group(names), one(names)]
}

fn group(names: &Names) -> Function {
    let id = names.id;
    let parameters = [
        ("ids", id, "[]"),
        ("versions", "bigint", "[]"),
        ("topics", "text", "[]"),
        ("states", "bytea", "[]"),
        ("first_ids", id, "[]"),
        ("first_versions", "bigint", "[]"),
        ("upstreams", "text", "[]"),
        ("froms", "bigint", "[]"),
        ("tos", "bigint", "[]"),
        ("at_ids", "text", "[]"),
        ("at_versions", "bigint", "[]"),
        ("identities", "text", "[]"),
        ("expected", "text", "[]"),
        ("policies", "text", "[]"),
    ];
    let returns =
        format!("TABLE (notification_id bigint, originator_id {id}, originator_version bigint)");
    function(names, &parameters, &returns, group_body(names))
}

fn one(names: &Names) -> Function {
    let parameters = [
        ("id", names.id, ""),
        ("version", "bigint", ""),
        ("topic", "text", ""),
        ("state", "bytea", ""),
    ];
    function(names, &parameters, "bigint", one_body(names))
}

fn function(
    names: &Names,
    parameters: &[(&str, &str, &str)],
    returns: &str,
    body: String,
) -> Function {
    let path = names.path(&names.append);
    let types = parameters
        .iter()
        .map(|(_, of, array)| format!("{of}{array}"));
    let named = parameters
        .iter()
        .map(|(name, of, array)| format!("{name} {of}{array}"));
    Function {
        signature: format!("{path}({})", types.collect::<Vec<_>>().join(",")),
        create: format!(
            "CREATE FUNCTION {path}({}) RETURNS {returns} LANGUAGE plpgsql VOLATILE AS {}",
            named.collect::<Vec<_>>().join(", "),
            literal(&body)
        ),
        body,
    }
}

fn one_body(names: &Names) -> String {
    let (events, channel) = (names.path(&names.events), quoted(&names.events));
    let (last, behind) = (sql::last_position(&events), behind());
    format!(
        "
#variable_conflict use_column
DECLARE position bigint; last bigint;
BEGIN
    LOCK TABLE {events} IN EXCLUSIVE MODE;
    INSERT INTO {events} (originator_id, originator_version, topic, state) SELECT $1, $2, $3, $4
        WHERE $2 - 1 = coalesce((SELECT t.originator_version FROM {events} AS t WHERE t.originator_id = $1
            ORDER BY t.originator_version DESC LIMIT 1), 0)
        RETURNING notification_id, ({last}) INTO position, last;
    IF FOUND THEN
        IF position <= last THEN
            {behind};
        END IF;
        NOTIFY {channel};
    END IF;
    RETURN position;
END;
"
    )
}

fn group_body(names: &Names) -> String {
    let events = names.path(&names.events);
    let moves = moves(names);
    let insert = sql::insert(names, "ids", "versions", "topics", "states");
    let channel = quoted(&names.events);
    let (last, behind) = (sql::last_position(&events), behind());
    let id = names.id;
    format!(
        "
#variable_conflict use_column
DECLARE moved bigint; last bigint;
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
{moves}
    IF cardinality(ids) > 0 THEN
        last := coalesce(({last}), 0);
        RETURN QUERY {insert};
        GET DIAGNOSTICS moved = ROW_COUNT;
        IF moved <> cardinality(ids) THEN
            RAISE EXCEPTION 'a trigger of the table has kept an event back' USING ERRCODE = 'ES002';
        END IF;
        IF moved > (SELECT count(*) FROM {events} AS t WHERE t.notification_id > last) THEN
            {behind};
        END IF;
        NOTIFY {channel};
    END IF;
END;
"
    )
}

/// Checks and moves the positions in upstreams.
///
/// Concurrency: each move updates the row of its position first, and so holds its lock until the
/// transaction ends. Whoever changes the policies for which a position counts does so as well, even
/// if the position stands. So the policies that the next statement finds, which begins with the
/// lock held, are those of the last move, and stay until this one commits.
///
/// The look at the positions before that is not locked. It only spares an error, because a move
/// that is refused is told by plain statements.
fn moves(names: &Names) -> String {
    let (tracking, id) = (names.path(&names.tracking), names.id);
    let start = positions::start_tracking(names, "upstreams");
    let shift = positions::move_tracking(names, "upstreams", "froms", "tos");
    let others = positions::other_policies(names, ["upstreams", "froms", "expected", "policies"]);
    let keep = positions::keep_upstream(
        names,
        [
            "upstreams",
            "tos",
            "at_ids",
            "at_versions",
            "identities",
            "policies",
        ],
    );
    format!(
        "    IF cardinality(upstreams) > 0 THEN
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
        IF moved <> cardinality(upstreams) OR EXISTS ({others}) THEN
            RAISE EXCEPTION 'a position was moved meanwhile' USING ERRCODE = 'ES001';
        END IF;
        {keep};
    END IF;"
    )
}

/// Raises the error of a sequence that gives positions below the last one.
fn behind() -> String {
    format!(
        "RAISE EXCEPTION 'the sequence is behind the events' USING ERRCODE = '{SEQUENCE_BEHIND}'"
    )
}
