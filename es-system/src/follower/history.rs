//! Verifies that an upstream is still the log that was followed.
//!
//! The event at the recorded position is recorded with it. Each batch compares that event with the
//! one that stands there now, before it processes anything.
//!
//! Concurrency: the event is read together with the page behind it, so both belong to one history.
//! The head is read earlier. If the log is replaced in between, the position may move to that head
//! and its event, which are of the old history, and the next batch finds another event there. The
//! same holds for events that a batch has left in memory: they were read with the event in front of
//! them, and the event recorded after them is the last of them, of the history that they are of.

use es_store::{Followed, Head, UpstreamEvent};

use crate::error::Error;
use crate::follower::edge::Edge;
use crate::follower::failure::Failure;

impl Edge {
    /// Returns the head of the upstream if it lies ahead of the recorded position. Otherwise there
    /// is no page to read, and the head itself is verified.
    pub(super) fn events_ahead(
        &self,
        followed: &Followed,
        head: Option<Head>,
    ) -> Result<Option<Head>, Failure> {
        let from = followed.position.unwrap_or(0);
        let at = head.as_ref().map_or(0, |head| head.position);
        if at < from {
            let processed = describe(followed.event.as_ref());
            return Err(self.log_changed(format!(
                "it ends at position {at}, and position {from} is processed, {processed}"
            )));
        }
        if at > from {
            return Ok(head);
        }
        let found = head.and_then(|head| head.event);
        self.verify(followed, found.as_ref())?;
        Ok(None)
    }

    /// Fails if `found`, the event that stands at the recorded position, is another one than was
    /// processed there.
    pub(super) fn verify(
        &self,
        followed: &Followed,
        found: Option<&UpstreamEvent>,
    ) -> Result<(), Failure> {
        let position = followed.position.unwrap_or(0);
        if let Some(processed) = &followed.event
            && !found.is_some_and(|found| found.may_be(processed))
        {
            let is_same_version = found.is_some_and(|found| {
                found.originator_id == processed.originator_id
                    && found.originator_version == processed.originator_version
            });
            let there = if is_same_version {
                "the same version with another content".to_owned()
            } else {
                describe(found)
            };
            let processed = describe(Some(processed));
            return Err(self.log_changed(format!(
                "{processed} was processed at position {position}, and {there} is there now"
            )));
        }
        self.state().is_verified = true;
        Ok(())
    }

    fn log_changed(&self, problem: String) -> Failure {
        Failure::Stop(Error::LogChanged {
            application: self.processor.name().to_owned(),
            upstream: self.upstream.name().to_owned(),
            problem,
        })
    }
}

/// Describes an event of the upstream.
fn describe(event: Option<&UpstreamEvent>) -> String {
    match event {
        Some(UpstreamEvent {
            originator_id,
            originator_version,
            ..
        }) => format!("version {originator_version} of aggregate {originator_id}"),
        None => "no event".to_owned(),
    }
}
