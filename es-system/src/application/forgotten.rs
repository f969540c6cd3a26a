//! Aggregates that were changed and dropped: a `save` or a `collect_events` was forgotten.

use es_core::__private::{Dropped, on_unwatched};

/// Has changed aggregates that are dropped outside of policies be a warning.
pub(crate) fn warn_outside_of_policies() {
    on_unwatched(|dropped| {
        tracing::warn!("{dropped}: save it, or call `into_state()` if its events are not wanted");
    });
}

/// Decides about the aggregates that a policy has dropped: an error in debug builds, where a
/// developer sees it, and a warning otherwise.
pub(crate) fn check(application: &str, dropped: &[Dropped]) -> Result<(), String> {
    let Some(first) = dropped.first() else {
        return Ok(());
    };
    let problem = format!(
        "{first}: hand it to `processing_event.collect_events(..)`, save it to its own application, or call \
         `into_state()` if its events are not wanted"
    );
    if cfg!(debug_assertions) {
        return Err(problem);
    }
    tracing::warn!(application, "a policy forgot events: {problem}");
    Ok(())
}
