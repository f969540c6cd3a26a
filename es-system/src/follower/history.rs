//! Verifies that an upstream is still the log that was followed.
//!
//! The event at a position is recorded together with it. Each batch compares that event with the
//! one that stands there now, before it processes anything.
//!
//! Concurrency: the event is read together with the page behind it, so both belong to one history.
//! The head is read earlier. If the log is replaced in between, the position may move to that head
//! and to its event, which are of the former history. The next batch then finds another event
//! there. The same holds for events that a batch has left in memory. They were read with the event
//! in front of them, and the last of them is recorded with the position behind it.

use es_store::{Followed, Head, UpstreamEvent};

use crate::application::Application;
use crate::error::{Error, Result};

/// The history of an upstream, as a follower has processed it.
#[derive(Clone, Copy)]
pub(super) struct History<'a> {
    /// The name of the follower.
    pub(super) follower: &'a str,
    pub(super) upstream: &'a Application,
}

impl History<'_> {
    /// Returns the head of the upstream if it lies behind the recorded position. Otherwise there is
    /// no page to read, and the head itself is verified.
    pub(super) fn verify_head(
        self,
        followed: &Followed,
        head: Option<Head>,
    ) -> Result<Option<Head>> {
        let position = followed.position.unwrap_or(0);
        let last = head.as_ref().map_or(0, |head| head.position);
        if last < position {
            let event = followed.event.as_ref();
            let processed = event.map(|event| format!(": {}", describe(Some(event))));
            return Err(self.changed(format!(
                "it ends at position {last}, and position {position} is processed{}",
                processed.unwrap_or_default()
            )));
        }
        if last > position {
            return Ok(head);
        }
        let found = head.and_then(|head| head.event);
        self.verify(followed, found.as_ref())?;
        Ok(None)
    }

    /// Fails if `found`, the event that stands at the recorded position, is another one than was
    /// processed there.
    pub(super) fn verify(self, followed: &Followed, found: Option<&UpstreamEvent>) -> Result<()> {
        let Some(processed) = &followed.event else {
            return Ok(());
        };
        if found.is_some_and(|found| found.may_be(processed)) {
            return Ok(());
        }
        let is_same_version = found.is_some_and(|found| {
            found.originator_id == processed.originator_id
                && found.originator_version == processed.originator_version
        });
        let there = if is_same_version {
            "the same version with another content".to_owned()
        } else {
            describe(found)
        };
        let position = followed.position.unwrap_or(0);
        let processed = describe(Some(processed));
        Err(self.changed(format!(
            "{processed} was processed at position {position}, and now {there} is there"
        )))
    }

    /// Verifies the event at the recorded position, apart from any batch.
    #[cfg(feature = "cli")]
    fn verify_alone(self, followed: &Followed) -> Result<()> {
        let Some(head) = self.verify_head(followed, self.upstream.head()?)? else {
            return Ok(());
        };
        let position = followed.position.unwrap_or(0).min(head.position);
        let found = self.upstream.on_store(|store| store.event_at(position))?;
        self.verify(followed, found.as_ref())
    }

    /// Returns the error of an upstream that has no event at a position at which one was processed.
    pub(super) fn gone(self, position: u64) -> Error {
        self.changed(format!("there is no event at position {position} now"))
    }

    /// Returns the error of an upstream whose log is another one. Its cached aggregates are of the
    /// former log, and are dropped.
    fn changed(self, problem: String) -> Error {
        self.upstream.forget_all();
        Error::LogChanged {
            application: self.follower.to_owned(),
            upstream: self.upstream.name().to_owned(),
            problem,
        }
    }
}

/// Fails if the log of `upstream` is another one than `follower` has followed.
///
/// # Errors
/// Returns [`Error::LogChanged`] then, and fails if a store cannot be read.
#[cfg(feature = "cli")]
pub(crate) fn verify(follower: &Application, upstream: &Application) -> Result<()> {
    let followed = follower.followed(upstream.name())?;
    let history = History {
        follower: follower.name(),
        upstream,
    };
    history.verify_alone(&followed)
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
