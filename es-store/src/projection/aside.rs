//! Events that a projection sets aside, in the transaction of its handlers.
//!
//! The rows of a rebuild have the name of its position as their upstream, so they stand beside
//! those of the tables that are queried.

use super::positions::Position;
use crate::error::StoreError;
use crate::recording::Recording;
use crate::set_aside::SetAsideChange;
use crate::sql::names::AsideNames;
use crate::sql::transaction::{End, Executor, Transaction, Value};
use crate::sql::{beside, set_aside};

/// Records a move of the locked position, and what is set aside with it.
pub(super) fn record(
    tx: &mut Transaction<'_>,
    position: &Position,
    mut recording: Recording,
) -> Result<(), StoreError> {
    check(position, &recording)?;
    for tracking in &recording.trackings {
        position.follow(tx, tracking)?;
    }
    if !recording.has_aside() {
        return Ok(());
    }
    let names = names(tx)?;
    for change in &mut recording.set_aside {
        change.move_to(position.row());
    }
    beside::record(tx, &names, &recording)
}

/// Refuses a recording that is not about the position alone.
fn check(position: &Position, recording: &Recording) -> Result<(), StoreError> {
    let upstream = position.upstream();
    let problem = if !recording.events.is_empty() {
        "a projection records no events"
    } else if recording.trackings.len() > 1
        || recording
            .trackings
            .iter()
            .any(|one| one.upstream != upstream || one.of_replay)
    {
        "the transaction is about one position, and another one would move"
    } else if recording
        .set_aside
        .iter()
        .any(|one| one.upstream() != upstream)
    {
        "the transaction is about one upstream, and an event of another one would be set aside"
    } else {
        recording
            .set_aside
            .iter()
            .try_for_each(SetAsideChange::check)?;
        return recording.check_passed();
    };
    Err(StoreError::Invalid(format!(
        "following `{upstream}`: {problem}"
    )))
}

/// Runs `work` with the position locked, and removes the row of the event at `at`, which is the
/// first of its sequence.
pub(super) fn retry(
    tx: &mut Transaction<'_>,
    position: &Position,
    at: u64,
    work: &mut dyn FnMut(&mut Transaction<'_>) -> bool,
) -> Result<End, StoreError> {
    let names = names(tx)?;
    if !set_aside::is_first(tx, &names, position.row(), at)? {
        return Err(StoreError::set_aside_changed(position.upstream(), at));
    }
    if !work(tx) {
        return Ok(End::Rollback);
    }
    let done = SetAsideChange::Done {
        upstream: position.row().to_owned(),
        position: at,
    };
    set_aside::change(tx, &names, &[done])?;
    Ok(End::Commit)
}

/// Carries out changes of the rows of the locked position.
pub(super) fn change(
    tx: &mut Transaction<'_>,
    position: &Position,
    changes: &[SetAsideChange],
) -> Result<(), StoreError> {
    let names = names(tx)?;
    let of_position = |change: &SetAsideChange| {
        let mut change = change.clone();
        change.move_to(position.row());
        change
    };
    let changes: Vec<_> = changes.iter().map(of_position).collect();
    set_aside::change(tx, &names, &changes)
}

/// Puts the rows of the rebuild in place of those that wait for the tables that are queried: the
/// rebuilt tables have had those events. Where it was decided about an event meanwhile, the
/// decision stays.
pub(super) fn take_over(
    tx: &mut Transaction<'_>,
    live: &Position,
    rebuild: &Position,
) -> Result<(), StoreError> {
    let Some(AsideNames { failures, .. }) = tx.names().aside.clone() else {
        return Ok(());
    };
    let row = |position: &Position| Value::Text(position.row().to_owned());
    let (live, rebuild) = (row(live), row(rebuild));
    let waiting = format!("DELETE FROM {failures} WHERE upstream = $1 AND decision IS NULL");
    Executor::execute(tx, &waiting, std::slice::from_ref(&live))?;
    let decided = format!(
        "DELETE FROM {failures} WHERE upstream = $1 AND position IN \
         (SELECT f.position FROM {failures} AS f WHERE f.upstream = $2)"
    );
    let params = [rebuild, live];
    Executor::execute(tx, &decided, &params)?;
    let take = format!("UPDATE {failures} SET upstream = $2 WHERE upstream = $1");
    Executor::execute(tx, &take, &params)?;
    Ok(())
}

/// Removes what rebuilds have set aside.
pub(super) fn remove_of_rebuild(tx: &mut Transaction<'_>, prefix: &str) -> Result<(), StoreError> {
    let Some(AsideNames { failures, .. }) = tx.names().aside.clone() else {
        return Ok(());
    };
    // The database counts characters, and these are one byte each.
    let length = i64::try_from(prefix.len()).unwrap_or_default();
    let sql = format!("DELETE FROM {failures} WHERE substr(upstream, 1, CAST($1 AS integer)) = $2");
    let params = [Value::Integer(length), Value::Text(prefix.to_owned())];
    Executor::execute(tx, &sql, &params)?;
    Ok(())
}

fn names(tx: &Transaction<'_>) -> Result<AsideNames, StoreError> {
    let missing = "events cannot be set aside: the tables are missing";
    let names = tx.names().aside.clone();
    names.ok_or_else(|| tx.misconfigured(missing))
}
