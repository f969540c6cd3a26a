//! Events that a follower has set aside, because its policy could not process them.
//!
//! A row for each of them is written in the transaction that moves the position past the event. The
//! events of one *sequence* are processed in order: while one of them is set aside, the later ones
//! are set aside behind it.
//!
//! Concurrency: whoever changes rows of an upstream locks the row of its position first, so their
//! changes follow each other. SQLite has one writer at a time anyway. An upstream whose position
//! has no row has no rows here either: the recording that sets its first event aside moves the
//! position past it, and creates the row. An event is set aside only by moving the position past
//! it, so of two programs that process it, one is too late. Facts that were read before are
//! compared in the transaction, after the lock was taken: a change names the row that has to be the
//! first of its sequence. So a batch that sets events aside behind a row that another program has
//! just removed is refused, and of several programs that retry a row, one removes it and the others
//! are refused with everything that their policy has made.

mod change;
mod query;

use es_core::{AggregateId, Timestamp};

pub(crate) use self::change::Sequences;
pub use self::change::SetAsideChange;
pub use self::query::SetAsideQuery;

use crate::digest::Digest;
use crate::notification::Notification;
use crate::upstream_event::UpstreamEvent;

/// An event that a follower has set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetAside {
    /// The name of the application that is followed, or a rebuild's name for it.
    pub upstream: String,
    /// The position of the event.
    pub position: u64,
    /// The events whose order is kept among each other. It is not empty.
    pub sequence: String,
    /// The aggregate of the event.
    pub originator_id: AggregateId,
    /// The version of the event.
    pub originator_version: u64,
    /// The topic of the event.
    pub topic: String,
    /// The digest of the event, if it could be read.
    pub digest: Option<Digest>,
    /// The number of times that its policy has failed; 0 if it was set aside behind another one.
    pub attempts: u32,
    /// The time of the next attempt, once it is the first of its sequence; `None` if it waits for
    /// an operator.
    pub due: Option<Timestamp>,
    /// The time at which it was set aside.
    pub first: Timestamp,
    /// The time of the last attempt.
    pub last: Timestamp,
    /// The error of the last attempt with its causes, sealed if the application has a cipher.
    pub error: String,
    /// The decision about it; `None` while it waits to be processed.
    pub decision: Option<Decision>,
}

impl SetAside {
    /// Creates the row of an event of `upstream` that was not tried yet, and is due at `when`.
    pub fn new(
        upstream: impl Into<String>,
        sequence: impl Into<String>,
        event: &Notification,
        when: Timestamp,
    ) -> Self {
        Self {
            upstream: upstream.into(),
            position: event.id,
            sequence: sequence.into(),
            originator_id: event.originator_id.clone(),
            originator_version: event.originator_version,
            topic: event.topic.clone().into_owned(),
            digest: Some(Digest::of(&event.topic, &event.state)),
            attempts: 0,
            due: Some(when),
            first: when,
            last: when,
            error: String::new(),
            decision: None,
        }
    }

    /// Returns the same row, after a first attempt has failed. `due` is the time of the next one.
    #[must_use]
    pub fn failed(self, error: impl Into<String>, due: Option<Timestamp>) -> Self {
        Self {
            attempts: 1,
            due,
            error: error.into(),
            ..self
        }
    }

    /// Returns the same row, with a decision about the event.
    #[must_use]
    pub fn decided(self, decision: Decision) -> Self {
        Self {
            due: None,
            decision: Some(decision),
            ..self
        }
    }

    /// Returns the identity of the event.
    pub fn event(&self) -> UpstreamEvent {
        UpstreamEvent {
            originator_id: self.originator_id.clone(),
            originator_version: self.originator_version,
            digest: self.digest,
        }
    }
}

/// The decision to pass over an event for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// The kind of decision.
    pub kind: DecisionKind,
    /// The person or program that has decided.
    pub who: String,
    /// The time of the decision.
    pub when: Timestamp,
}

impl Decision {
    /// Creates a decision.
    pub fn new(kind: DecisionKind, who: impl Into<String>, when: Timestamp) -> Self {
        let who = who.into();
        Self { kind, who, when }
    }
}

/// The kind of a decision about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecisionKind {
    /// The follower stood in front of the event, and has passed over it.
    Skipped,
    /// The event was set aside, and is not processed any more.
    Discarded,
}

impl DecisionKind {
    /// Returns the text that is stored.
    pub fn text(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Discarded => "discarded",
        }
    }

    /// Returns the kind from its text, or `None` if there is no such kind.
    pub fn from_text(text: &str) -> Option<Self> {
        let kinds = [Self::Skipped, Self::Discarded];
        kinds.into_iter().find(|kind| kind.text() == text)
    }
}

/// A count of the events of an upstream that wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// The number of events.
    pub count: u64,
    /// The time at which the first of a sequence is due, if one is.
    pub due: Option<Timestamp>,
}

impl Waiting {
    /// Creates a count.
    pub fn new(count: u64, due: Option<Timestamp>) -> Self {
        Self { count, due }
    }
}
