//! The part of the record of a follower that is about what is set aside, and about operations.
//!
//! Each of its statements finds nothing by a look into an index, for as long as nothing is set
//! aside and nobody has operated the follower. A statement of its own counts the events that
//! wait, and only where one does: it reads all of them.
//!
//! Concurrency: the count may be of a later state than the position. A later state has rows that an
//! earlier one lacks only if the position has moved, and then whoever works with both is refused. A
//! row that is gone was processed or decided, so that nothing has to wait behind it.

use es_core::Timestamp;

use super::{Columns, number};
use crate::followed::Followed;
use crate::operation::{Operation, OperationKind};
use crate::set_aside::Waiting;
use crate::sql::names::AsideNames;

const WAITING: &str = "waiting";

/// The condition of an event of the upstream that waits. The index has the second half.
const WAITS: &str = "upstream = $1 AND decision IS NULL";

const STANDING: &str = "standing";
const STOPPED: &str = "stopped";
const BEGAN: &str = "began";

/// The condition of an operation that tells whether a follower is to process events. The index has
/// the same text.
pub(crate) const STANDS: &str = "kind IN ('paused', 'resumed')";

/// The condition of an operation that tells of a stop. The index has the same text.
pub(crate) const STOPS: &str = "kind = 'stopped'";

/// The condition of an operation by which a follower began. The index has the same text.
pub(crate) const BEGINS: &str = "kind = 'began'";

/// Returns the statements, each behind a `UNION ALL`.
pub(super) fn statements(names: &AsideNames) -> String {
    let AsideNames {
        failures,
        operations,
        ..
    } = names;
    let last = |part, upstream, condition| {
        format!(
            " UNION ALL SELECT s.upstream, s.id, s.position, s.who, s.happened_at, NULL, s.detail, NULL, s.kind, \
             NULL, NULL, '{part}' FROM (SELECT * FROM {operations} WHERE upstream = {upstream} AND {condition} \
             ORDER BY id DESC LIMIT 1) AS s"
        )
    };
    // The stop comes last, so that this condition belongs to it.
    let is_not_resumed = format!(
        " WHERE NOT EXISTS (SELECT 1 FROM {operations} WHERE upstream IN ($1, '') AND {STANDS} \
         AND kind = 'resumed' AND id > s.id)"
    );
    format!(
        " UNION ALL SELECT NULL, w.position, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{WAITING}' \
         FROM (SELECT position FROM {failures} WHERE {WAITS} LIMIT 1) AS w{}{}{}{}{is_not_resumed}",
        last(STANDING, "$1", STANDS),
        last(STANDING, "''", STANDS),
        last(BEGAN, "$1", BEGINS),
        last(STOPPED, "$1", STOPS),
    )
}

/// Returns the statement that counts what waits, and finds the first time at which a sequence is
/// due. Its parameter is the upstream.
///
/// `sequences` is a query for each sequence, with `n`, the number of its events, and `due`, that of
/// the first one. Each database has a fast way of its own. It is put together from the table and
/// the condition.
pub(crate) fn waiting(names: &AsideNames, sequences: impl Fn(&str, &str) -> String) -> String {
    let sequences = sequences(&names.failures, WAITS);
    format!("SELECT CAST(sum(s.n) AS bigint), min(s.due) FROM ({sequences}) AS s")
}

/// Returns the count that is in a row of [`waiting`]. The error is the problem of a column.
pub(super) fn counted(row: &impl Columns) -> Result<Waiting, String> {
    let count = row.integer(0)?.map(number).transpose()?.unwrap_or(0);
    let due = row.integer(1)?.map(time).transpose()?;
    Ok(Waiting::new(count, due))
}

/// Adds a row of one of the statements. The error is the problem of a column.
pub(super) fn add(followed: &mut Followed, part: &str, row: &impl Columns) -> Result<(), String> {
    match part {
        // At least one waits. `waiting` counts them.
        WAITING => followed.waiting = Waiting::new(1, None),
        STOPPED => followed.stopped = Some(operation(row)?),
        BEGAN => followed.began = row.integer(2)?.map(number).transpose()?,
        _ => {
            // The last one on the upstream and the last one on all: the later one tells.
            let found = operation(row)?;
            let is_later = |other: &Operation| found.id > other.id;
            if followed.standing.as_ref().is_none_or(is_later) {
                followed.standing = Some(found);
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conditions_of_the_indexes_are_those_of_the_kinds() {
        let is_in = |condition: &str, kind: OperationKind| {
            condition.contains(&format!("'{}'", kind.text()))
        };
        for kind in OperationKind::ALL {
            assert_eq!(is_in(STANDS, kind), kind.is_standing(), "{kind:?}");
            let is = |one| kind == one;
            assert_eq!(is_in(STOPS, kind), is(OperationKind::Stopped), "{kind:?}");
            assert_eq!(is_in(BEGINS, kind), is(OperationKind::Began), "{kind:?}");
        }
    }
}
