//! The content of a recording beside events and positions, for every SQL database.

use super::names::AsideNames;
use super::transaction::Executor;
use super::{operations, set_aside};
use crate::recording::Recording;

/// Carries out the changes of a recording, and records its operations.
pub(crate) fn record<E: Executor>(
    executor: &mut E,
    names: &AsideNames,
    recording: &Recording,
) -> Result<(), E::Error> {
    set_aside::change(executor, names, &recording.set_aside)?;
    operations::record(executor, names, &recording.operations)
}

/// Returns true if the changes and operations of a recording are recorded.
///
/// A row that another program has changed since does not tell it. Then the recording is carried out
/// again, and its first change is refused.
pub(crate) fn is_recorded<E: Executor>(
    executor: &mut E,
    names: &AsideNames,
    recording: &Recording,
) -> Result<bool, E::Error> {
    for change in &recording.set_aside {
        if !set_aside::is_made(executor, names, change)? {
            return Ok(false);
        }
    }
    for operation in &recording.operations {
        if !operations::has(executor, names, operation)? {
            return Ok(false);
        }
    }
    Ok(true)
}
