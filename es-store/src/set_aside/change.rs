//! The changes of what is set aside.

use std::collections::HashSet;

use es_core::Timestamp;

use super::{Decision, SetAside};
use crate::error::StoreError;
use crate::role::is_reserved;

/// A change of what is set aside, in the transaction of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetAsideChange {
    /// An event is set aside or, with a decision, passed over. The same recording moves the
    /// position past it.
    ///
    /// There must be no row of the event yet. Without a decision, the first event of its sequence
    /// that waits must be the one at `behind`; `None` if none may wait. Of the events of one
    /// sequence that a recording sets aside, only the first is compared.
    Put {
        /// The event.
        event: Box<SetAside>,
        /// The position of the first event of the sequence.
        behind: Option<u64>,
    },
    /// Another attempt at an event has failed. It must be the first of its sequence, and the number
    /// of its attempts one less.
    Failed {
        /// The name of the application that is followed.
        upstream: String,
        /// The position of the event.
        position: u64,
        /// The number of attempts.
        attempts: u32,
        /// The time of the next attempt.
        due: Option<Timestamp>,
        /// The time of this attempt.
        last: Timestamp,
        /// Its error.
        error: String,
    },
    /// An event is processed: its row is removed. It must be the first of its sequence.
    Done {
        /// The name of the application that is followed.
        upstream: String,
        /// The position of the event.
        position: u64,
    },
    /// It is decided about an event that waits.
    Decide {
        /// The name of the application that is followed.
        upstream: String,
        /// The position of the event.
        position: u64,
        /// The decision.
        decision: Decision,
    },
    /// An event that waits becomes due. It need not be the first of its sequence.
    Due {
        /// The name of the application that is followed.
        upstream: String,
        /// The position of the event.
        position: u64,
        /// The time of the next attempt.
        due: Timestamp,
    },
    /// The rows of all events above a position are removed, because the log of the upstream has
    /// lost them.
    Forget {
        /// The name of the application that is followed.
        upstream: String,
        /// The position.
        above: u64,
    },
}

impl SetAsideChange {
    /// Returns the name of the application that is followed.
    pub fn upstream(&self) -> &str {
        match self {
            Self::Put { event, .. } => &event.upstream,
            Self::Failed { upstream, .. }
            | Self::Done { upstream, .. }
            | Self::Decide { upstream, .. }
            | Self::Due { upstream, .. }
            | Self::Forget { upstream, .. } => upstream,
        }
    }

    /// Returns the position of the event, or the one above which all are meant.
    pub fn position(&self) -> u64 {
        match self {
            Self::Put { event, .. } => event.position,
            Self::Failed { position, .. }
            | Self::Done { position, .. }
            | Self::Decide { position, .. }
            | Self::Due { position, .. }
            | Self::Forget {
                above: position, ..
            } => *position,
        }
    }

    /// Makes the change about another name of the upstream.
    pub(crate) fn move_to(&mut self, name: &str) {
        let upstream = match self {
            Self::Put { event, .. } => &mut event.upstream,
            Self::Failed { upstream, .. }
            | Self::Done { upstream, .. }
            | Self::Decide { upstream, .. }
            | Self::Due { upstream, .. }
            | Self::Forget { upstream, .. } => upstream,
        };
        name.clone_into(upstream);
    }

    /// Creates the error of a change that does not find what it expects.
    pub(crate) fn refused(&self) -> StoreError {
        StoreError::set_aside_changed(self.upstream(), self.position())
    }

    /// Checks the rules that are the same for every store.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let (upstream, position) = (self.upstream(), self.position());
        if is_reserved(upstream) {
            return self.invalid("the name of its upstream is reserved");
        }
        let invalid = |problem| self.invalid(problem);
        if i64::try_from(position).is_err() {
            return invalid("its position is too large");
        }
        match self {
            Self::Put { event, .. } if event.sequence.is_empty() => {
                invalid("its sequence is empty")
            }
            Self::Put { event, .. } if i64::try_from(event.originator_version).is_err() => {
                invalid("its version is too large")
            }
            _ => Ok(()),
        }
    }
    /// Creates the error of a change that means nothing.
    pub(crate) fn invalid(&self, problem: &str) -> Result<(), StoreError> {
        let (upstream, position) = (self.upstream(), self.position());
        Err(StoreError::Invalid(format!(
            "the event at position {position} of `{upstream}`: {problem}"
        )))
    }
}

/// The sequences of which a recording has set an event aside.
#[derive(Default)]
pub(crate) struct Sequences<'a>(HashSet<(&'a str, &'a str)>);

impl<'a> Sequences<'a> {
    /// Returns true if the event is compared with what waits: if it is the first of its sequence.
    pub(crate) fn are_new_with(&mut self, event: &'a SetAside) -> bool {
        let sequence = (event.upstream.as_str(), event.sequence.as_str());
        event.decision.is_none() && self.0.insert(sequence)
    }
}
