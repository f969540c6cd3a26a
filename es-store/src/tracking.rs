//! The position up to which a follower has processed an upstream.

use es_core::AggregateId;

use crate::error::StoreError;
use crate::role::is_reserved;

/// One move of a follower's position in an upstream's notification log.
///
/// A move is a compare-and-set: it takes place only if the recorded position is exactly `from`.
/// Otherwise nothing of the [`Recording`](crate::Recording) is stored. This makes processing
/// exactly-once. It would not be enough to check that `to` is above the recorded position: an
/// instance that pulled 101 to 200 would commit after another had committed 101 to 150.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tracking {
    /// The name of the application that is followed. Names that begin with `__` are reserved.
    pub upstream: String,
    /// The position at which the batch started; 0 is in front of the first event.
    pub from: u64,
    /// The position up to which everything is processed; at least `from`.
    pub to: u64,
    /// The event at `to`, if it is known. A later batch uses it to notice that the upstream's log
    /// was replaced.
    pub at: Option<UpstreamEvent>,
}

impl Tracking {
    /// Creates a move from one position to another.
    pub fn new(upstream: impl Into<String>, from: u64, to: u64) -> Self {
        Self {
            upstream: upstream.into(),
            from,
            to,
            at: None,
        }
    }

    /// Returns the same move, with the event at its end.
    #[must_use]
    pub fn at(self, event: UpstreamEvent) -> Self {
        Self {
            at: Some(event),
            ..self
        }
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let Self {
            upstream,
            from,
            to,
            at,
        } = self;
        let invalid = |problem| Err(StoreError::Invalid(problem));
        if is_reserved(upstream) {
            return invalid(format!(
                "`{upstream}` cannot be the name of an upstream: `__` is reserved"
            ));
        }
        if to < from {
            return invalid(format!(
                "the position in `{upstream}` would go back from {from} to {to}"
            ));
        }
        if i64::try_from(*to).is_err() {
            return invalid(format!("position {to} in `{upstream}` is too large"));
        }
        match at {
            Some(at) if i64::try_from(at.originator_version).is_err() => invalid(format!(
                "version {} of an event of `{upstream}` is too large",
                at.originator_version
            )),
            _ => Ok(()),
        }
    }
}

/// The event at a position of a log: an upstream's, or the application's own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpstreamEvent {
    /// The aggregate of the event.
    pub originator_id: AggregateId,
    /// The version of the event.
    pub originator_version: u64,
}

impl UpstreamEvent {
    /// Creates the identity of the event of aggregate `originator_id` at version
    /// `originator_version`.
    pub fn new(originator_id: impl Into<AggregateId>, originator_version: u64) -> Self {
        Self {
            originator_id: originator_id.into(),
            originator_version,
        }
    }
}
