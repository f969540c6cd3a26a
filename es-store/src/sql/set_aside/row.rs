//! Reads the rows of what is set aside, each of which may be damaged.

use crate::digest::Digest;
use crate::set_aside::{Decision, DecisionKind, SetAside};
use crate::sql::damaged::DamagedAt;
use crate::sql::transaction::Value;
use crate::sql::upstream_id;
use crate::sql::values::ValueRow;

/// Reads a row.
pub(crate) fn row(columns: &[Value]) -> Result<SetAside, DamagedAt> {
    let row = ValueRow(columns);
    let place = || {
        let upstream: Result<String, _> = row.get(0, "upstream");
        let position: Result<u64, _> = row.get(1, "position");
        match (upstream, position) {
            (Ok(upstream), Ok(position)) => {
                format!("of what is set aside of `{upstream}` at position {position}")
            }
            _ => "of what is set aside".to_owned(),
        }
    };
    read(&row).map_err(|problem| DamagedAt {
        at: place(),
        problem,
    })
}

fn read(row: &ValueRow<'_>) -> Result<SetAside, String> {
    let id: String = row.get(3, "originator_id")?;
    let identity: Option<String> = row.get(6, "identity")?;
    Ok(SetAside {
        upstream: row.get(0, "upstream")?,
        position: row.get(1, "position")?,
        sequence: row.get(2, "sequence")?,
        originator_id: upstream_id::from_column(&id).ok_or("its originator_id is not an id")?,
        originator_version: row.get(4, "originator_version")?,
        topic: row.get(5, "topic")?,
        digest: match identity {
            None => None,
            Some(digits) => Some(Digest::from_hex(&digits).ok_or("its identity is no digest")?),
        },
        attempts: row.get(7, "attempts")?,
        due: row.time(8, "due")?,
        first: row.time(9, "first_at")?.ok_or("its first_at is null")?,
        last: row.time(10, "last_at")?.ok_or("its last_at is null")?,
        error: row.get(11, "error")?,
        decision: decision(row)?,
    })
}

fn decision(row: &ValueRow<'_>) -> Result<Option<Decision>, String> {
    let Some(kind) = row.get::<Option<String>>(12, "decision")? else {
        return Ok(None);
    };
    let kind = DecisionKind::from_text(&kind)
        .ok_or_else(|| format!("its decision `{kind}` is not known to this program"))?;
    let when = row
        .time(14, "decided_at")?
        .ok_or("its decided_at is null")?;
    let who: String = row.get(13, "decided_by")?;
    Ok(Some(Decision::new(kind, who, when)))
}
