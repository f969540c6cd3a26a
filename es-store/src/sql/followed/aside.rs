//! The part of the record of a follower that is about what is set aside, and about operations.
//!
//! Each of its statements finds nothing by a look into an index, for as long as nothing is set
//! aside and nobody has operated the follower.

use es_core::Timestamp;

use super::{Columns, number};
use crate::followed::Followed;
use crate::operation::{Operation, OperationKind};
use crate::set_aside::Waiting;
use crate::sql::names::AsideNames;

const WAITING: &str = "waiting";
const STANDING: &str = "standing";
const BEGAN: &str = "began";

/// Returns the statements, each behind a `UNION ALL`.
pub(super) fn statements(names: &AsideNames) -> String {
    let AsideNames {
        failures,
        operations,
        ..
    } = names;
    let last = |part, is_part: fn(&OperationKind) -> bool| {
        let number = last_number(operations, is_part);
        format!(
            " UNION ALL SELECT o.upstream, o.id, o.position, o.who, o.happened_at, NULL, o.detail, NULL, o.kind, \
             NULL, NULL, '{part}' FROM {operations} AS o WHERE o.id = {number}"
        )
    };
    format!(
        " UNION ALL SELECT NULL, count(*), min(CASE WHEN w.place = 1 THEN w.due END), NULL, NULL, NULL, NULL, NULL, \
         NULL, NULL, NULL, '{WAITING}' FROM (SELECT f.due, row_number() OVER (PARTITION BY f.sequence \
         ORDER BY f.position) AS place FROM {failures} AS f WHERE f.upstream = $1 AND f.decision IS NULL) AS w \
         HAVING count(*) > 0{}{}",
        last(STANDING, |kind| kind.is_standing()),
        last(BEGAN, |kind| *kind == OperationKind::Began),
    )
}

/// Returns the number of the last operation of some kinds on the upstream or on all. For each kind,
/// it is the last entry of an index.
fn last_number(operations: &str, is_wanted: fn(&OperationKind) -> bool) -> String {
    let kinds = OperationKind::ALL.into_iter().filter(is_wanted);
    let numbers = kinds.flat_map(|kind| {
        let kind = kind.text();
        ["$1", "''"].map(|upstream| {
            format!(
                "SELECT max(k.id) AS id FROM {operations} AS k WHERE k.upstream = {upstream} AND k.kind = '{kind}'"
            )
        })
    });
    let numbers = numbers.collect::<Vec<_>>().join(" UNION ALL ");
    format!("(SELECT max(n.id) FROM ({numbers}) AS n)")
}

/// Adds a row of one of the statements. The error is the problem of a column.
pub(super) fn add(followed: &mut Followed, part: &str, row: &impl Columns) -> Result<(), String> {
    let position = row.integer(2);
    match part {
        WAITING => {
            let count = row.integer(1)?.map(number).transpose()?.unwrap_or(0);
            let due = position?.map(time).transpose()?;
            followed.waiting = Waiting::new(count, due);
        }
        BEGAN => followed.began = position?.map(number).transpose()?,
        _ => followed.standing = Some(operation(row)?),
    }
    Ok(())
}

fn operation(row: &impl Columns) -> Result<Operation, String> {
    let kind = row.text(8)?.and_then(OperationKind::from_text);
    let when = row.integer(4)?.ok_or("its happened_at is null")?;
    let text = |index| {
        row.text(index)
            .map(|text| text.unwrap_or_default().to_owned())
    };
    Ok(Operation {
        id: row.integer(1)?.map(number).transpose()?.unwrap_or(0),
        kind: kind.ok_or("its kind is not known")?,
        upstream: text(0)?,
        position: row.integer(2)?.map(number).transpose()?,
        when: time(when)?,
        who: text(3)?,
        detail: text(6)?,
    })
}

fn time(micros: i64) -> Result<Timestamp, String> {
    Timestamp::from_micros(micros).ok_or_else(|| format!("{micros} is no time"))
}
