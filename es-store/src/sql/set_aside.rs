//! The statements that change what is set aside, for every SQL database.
//!
//! Concurrency: the caller has locked the rows of the positions of all upstreams concerned. Each
//! statement begins after that, and so finds what the last owner of the lock has left. It compares
//! and changes at once, and the number of changed rows tells if it has found what it expects.

mod resent;
mod row;
mod select;

pub(super) use self::resent::is_made;
pub(crate) use self::row::row;
pub(crate) use self::select::select;
use super::names::AsideNames;
use super::transaction::{Executor, Value};
use super::upstream_id;
use super::values::{number, shown, text, time};
use crate::set_aside::{Decision, Sequences, SetAside, SetAsideChange};

/// The columns of a row.
const COLUMNS: &str = "upstream, position, sequence, originator_id, originator_version, topic, identity, \
                       attempts, due, first_at, last_at, error, decision, decided_by, decided_at";

/// Carries out changes in their order. Fails at the first one that does not find what it expects.
pub(crate) fn change<E: Executor>(
    executor: &mut E,
    names: &AsideNames,
    changes: &[SetAsideChange],
) -> Result<(), E::Error> {
    let mut sequences = Sequences::default();
    for change in changes {
        let (sql, params) = statement(names, change, &mut sequences);
        let changed = executor.execute(&sql, &params)?;
        let is_of_one = !matches!(change, SetAsideChange::Forget { .. });
        if is_of_one && changed != 1 {
            return Err(change.refused().into());
        }
    }
    Ok(())
}

/// Returns true if a row waits and is the first of its sequence.
pub(crate) fn is_first<E: Executor>(
    executor: &mut E,
    names: &AsideNames,
    upstream: &str,
    position: u64,
) -> Result<bool, E::Error> {
    let failures = &names.failures;
    let sql = format!("SELECT 1 FROM {failures} AS t {}", first(failures));
    let found = executor.select(&sql, &[text(upstream), number(position)])?;
    Ok(!found.is_empty())
}

/// Returns the statement of a change, and its parameters.
fn statement<'a>(
    names: &AsideNames,
    change: &'a SetAsideChange,
    sequences: &mut Sequences<'a>,
) -> (String, Vec<Value>) {
    let failures = &names.failures;
    let mut params = vec![text(change.upstream()), number(change.position())];
    let sql = match change {
        SetAsideChange::Put { event, behind } => {
            let is_compared = sequences.are_new_with(event);
            params = columns(event);
            params.extend(is_compared.then(|| behind.map_or(Value::Integer(NONE), number)));
            put(failures, is_compared)
        }
        SetAsideChange::Failed {
            attempts,
            due,
            last,
            error,
            ..
        } => {
            let error = shown(error);
            let due = due.map_or(Value::Null, time);
            params.extend([number((*attempts).into()), due, time(*last), error]);
            format!(
                "UPDATE {failures} AS t SET attempts = $3, due = $4, last_at = $5, error = $6 {} \
                 AND t.attempts + 1 = $3",
                first(failures)
            )
        }
        SetAsideChange::Done { .. } => {
            format!("DELETE FROM {failures} AS t {}", first(failures))
        }
        SetAsideChange::Decide { decision, .. } => {
            params.extend(decided(Some(decision)));
            format!(
                "UPDATE {failures} AS t SET due = NULL, decision = $3, decided_by = $4, decided_at = $5 {WAITING}"
            )
        }
        SetAsideChange::Due { due, .. } => {
            params.push(time(*due));
            format!("UPDATE {failures} AS t SET due = $3 {WAITING}")
        }
        SetAsideChange::Forget { .. } => {
            format!("DELETE FROM {failures} AS t WHERE t.upstream = $1 AND t.position > $2")
        }
    };
    (sql, params)
}

/// The condition of a row that waits.
const WAITING: &str = "WHERE t.upstream = $1 AND t.position = $2 AND t.decision IS NULL";

/// The parameter that stands for no row in front of an event.
const NONE: i64 = -1;

/// Returns the condition of a row that waits and is the first of its sequence.
fn first(failures: &str) -> String {
    format!("{WAITING} AND {}", is_before_all(failures))
}

/// Returns the condition that no row of the sequence waits in front of the row `t`.
fn is_before_all(failures: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM {failures} AS f WHERE f.upstream = t.upstream AND f.sequence = t.sequence \
         AND f.decision IS NULL AND f.position < t.position)"
    )
}

/// Returns the statement that inserts a row. In a query, the type of a parameter is not that of the
/// column.
fn put(failures: &str, is_compared: bool) -> String {
    let behind = format!(
        "coalesce((SELECT f.position FROM {failures} AS f WHERE f.upstream = $1 AND f.sequence = $3 \
         AND f.decision IS NULL ORDER BY f.position LIMIT 1), {NONE}) = $16"
    );
    let behind = if is_compared { &*behind } else { "1 = 1" };
    format!(
        "INSERT INTO {failures} ({COLUMNS}) SELECT CAST($1 AS text), CAST($2 AS bigint), CAST($3 AS text), \
         CAST($4 AS text), CAST($5 AS bigint), CAST($6 AS text), CAST($7 AS text), CAST($8 AS bigint), \
         CAST($9 AS bigint), CAST($10 AS bigint), CAST($11 AS bigint), CAST($12 AS text), CAST($13 AS text), \
         CAST($14 AS text), CAST($15 AS bigint) WHERE {behind} ON CONFLICT DO NOTHING"
    )
}

fn columns(event: &SetAside) -> Vec<Value> {
    let digest = event.digest.map(|digest| digest.to_string());
    let mut columns = vec![
        text(&event.upstream),
        number(event.position),
        text(&event.sequence),
        Value::Text(upstream_id::to_column(&event.originator_id)),
        number(event.originator_version),
        text(&event.topic),
        digest.map_or(Value::Null, Value::Text),
        number(event.attempts.into()),
        event.due.map_or(Value::Null, time),
        time(event.first),
        time(event.last),
        shown(&event.error),
    ];
    columns.extend(decided(event.decision.as_ref()));
    columns
}

fn decided(decision: Option<&Decision>) -> [Value; 3] {
    match decision {
        None => [Value::Null, Value::Null, Value::Null],
        Some(Decision { kind, who, when }) => [text(kind.text()), shown(who), time(*when)],
    }
}
