//! The events that the policies of a batch save to their own application by a second object of it.
//!
//! Such a save is committed at once, as one of another process is. But it repeats itself whenever
//! the batch runs again. If the batch collects the same version, its commit is refused each time,
//! and each time for another version. That is no race that the batch can win, so it is the policy's
//! failure.

use es_store::{EventQuery, StoredEvent};

use crate::application::batch;
use crate::application::core::Application;
use crate::error::Error;

/// Tells the batches whose policies run on this thread that `application`, which may be a second
/// object of theirs, saves these events. Their looks at their own log are over then.
pub(crate) fn tell(application: &Application, events: &[StoredEvent]) {
    for bound in batch::beside(application.instance(), application.name()) {
        if let Ok(mut batch) = bound.try_borrow_mut() {
            batch.saved_inside(events);
        }
    }
}

/// Returns the error to report for `error`, the refusal of a batch whose policies have saved
/// `saved`. If what stands in the record is such an event, the error names it and the repair.
pub(crate) fn explain(
    application: &Application,
    saved: &[StoredEvent],
    error: &Error,
) -> Option<Error> {
    let Error::Conflict { conflict, .. } = error else {
        return None;
    };
    let (id, version) = (&conflict.id, conflict.version);
    let is_refused =
        |event: &&StoredEvent| event.originator_id == *id && event.originator_version == version;
    let mut saved = saved.iter().filter(is_refused).peekable();
    saved.peek()?;
    let query = EventQuery::all().gt(version - 1).limit(1);
    let found = application.select_events(id, &query).ok()?;
    let is_its_own = saved.any(|saved| found.first() == Some(saved));
    let name = application.name();
    is_its_own.then(|| {
        Error::Usage(format!(
            "{name}: the policy saves version {version} of aggregate {id} by a second object of `{name}`, \
             and collects the same version: hand all its events to `processing_event.collect_events(..)`, \
             or save first and get the aggregate afterwards"
        ))
    })
}
