//! The steps of an edge.

use std::time::Instant;

use crate::follower::delay::Delay;

/// The time at which a position that only skips events is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skips {
    /// At most every 100 ms, because nobody waits for it.
    Later,
    /// At once.
    Now,
}

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// True if the position or the condition of the edge may have changed.
    pub(crate) changed: bool,
    /// True if new events were recorded, or may have been. Others may follow them.
    pub(crate) recorded: bool,
    pub(crate) next: Next,
}

/// The time of the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// At once, because there may be more events.
    AtOnce,
    /// At this moment and no earlier, even if events are recorded meanwhile, because the last
    /// attempt failed.
    NotBefore(Instant),
    /// When the upstream records an event, or at the given moment.
    WhenPrompted {
        /// The moment at which to look without a prompt; `None` is the next poll.
        or_at: Option<Instant>,
    },
    /// Never, because the follower was abandoned.
    Never,
}

impl Next {
    /// Returns true if the step comes after a failure of a store.
    pub(super) fn is_of_failure(self) -> bool {
        matches!(self, Self::NotBefore(_))
    }

    /// Returns the step, which also comes at the moment `at`, unless it is one after a failure.
    pub(super) fn or_at(self, at: Instant) -> Self {
        match self {
            Self::WhenPrompted { or_at } => {
                let first = or_at.map_or(at, |or_at| or_at.min(at));
                Self::WhenPrompted { or_at: Some(first) }
            }
            other => other,
        }
    }

    /// Returns the step at the end of a delay. After a failure it does not come earlier. While this
    /// program waits for a newer one nothing has failed, so no command waits there.
    pub(super) fn after(delay: &Delay) -> Self {
        if delay.is_of_failure() {
            Self::NotBefore(delay.at())
        } else {
            Self::WhenPrompted {
                or_at: Some(delay.at()),
            }
        }
    }
}

impl Step {
    pub(super) fn rest(next: Next) -> Self {
        Self {
            changed: false,
            recorded: false,
            next,
        }
    }
}
