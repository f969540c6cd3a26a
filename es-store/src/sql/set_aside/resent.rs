//! Changes of a recording that is sent again because it is unknown whether it was recorded.

use super::decided;
use crate::set_aside::SetAsideChange;
use crate::sql::names::AsideNames;
use crate::sql::transaction::Executor;
use crate::sql::values::{number, text, time};

/// Returns true if a change is recorded.
pub(in crate::sql) fn is_made<E: Executor>(
    executor: &mut E,
    names: &AsideNames,
    change: &SetAsideChange,
) -> Result<bool, E::Error> {
    let mut params = vec![text(change.upstream()), number(change.position())];
    let at = "position = $2";
    let (condition, is_there) = match change {
        SetAsideChange::Put { .. } => (at.to_owned(), true),
        SetAsideChange::Done { .. } => (at.to_owned(), false),
        SetAsideChange::Forget { .. } => ("position > $2".to_owned(), false),
        SetAsideChange::Failed { attempts, last, .. } => {
            params.extend([number((*attempts).into()), time(*last)]);
            (format!("{at} AND attempts = $3 AND last_at = $4"), true)
        }
        SetAsideChange::Decide { decision, .. } => {
            params.extend(decided(Some(decision)));
            let same = "decision = $3 AND decided_by = $4 AND decided_at = $5";
            (format!("{at} AND {same}"), true)
        }
        SetAsideChange::Due { due, .. } => {
            params.push(time(*due));
            (format!("{at} AND due = $3"), true)
        }
    };
    let failures = &names.failures;
    let sql = format!("SELECT 1 FROM {failures} WHERE upstream = $1 AND {condition} LIMIT 1");
    Ok(executor.select(&sql, &params)?.is_empty() != is_there)
}
