//! Events that a follower has set aside, because its policy could not process them.
//!
//! A row for each of them is written in the transaction that moves the position past the event. The
//! events of one *sequence* are processed in order: while one of them is set aside, the later ones
//! are set aside behind it.
//!
//! Concurrency: whoever changes rows of an upstream locks the row of its position first, so their
//! changes follow each other. An event is set aside only by moving the position past it, so of two
//! programs that process it, one is too late. What was read before is compared in the transaction:
//! a change names the row that has to be the first of its sequence.

use es_core::{AggregateId, Timestamp};

use crate::digest::Digest;
use crate::error::StoreError;
use crate::notification::Notification;
use crate::role::is_reserved;
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

/// A change of what is set aside, in the transaction of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetAsideChange {
    /// An event is set aside or, with a decision, passed over. The same recording moves the
    /// position past it.
    ///
    /// Without a decision, the first event of its sequence that waits must be the one at `behind`;
    /// `None` if none may wait. Of one recording, the first change of each sequence is compared.
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

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let (upstream, position) = (self.upstream(), self.position());
        let invalid = |problem: &str| {
            let problem = format!("the event at position {position} of `{upstream}`: {problem}");
            Err(StoreError::Invalid(problem))
        };
        if is_reserved(upstream) {
            return invalid("the name of its upstream is reserved");
        }
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
}

/// A selection of events that are set aside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetAsideQuery {
    /// The name of the application that is followed; `None` is any, and the rows of a rebuild.
    pub upstream: Option<String>,
    /// True for events about which it is decided, false for those that wait; `None` is both.
    pub decided: Option<bool>,
    /// The sequences; `None` is any.
    pub sequences: Option<Vec<String>>,
    /// True if only the first of each sequence is selected, among those that wait.
    pub firsts: bool,
    /// The time at which they are due or were before; `None` is no bound, and those that are never
    /// due.
    pub due: Option<Timestamp>,
    /// The lowest position, exclusive; `None` is no bound.
    pub above: Option<u64>,
    /// The highest position, inclusive; `None` is no bound.
    pub up_to: Option<u64>,
    /// The maximal number of rows; `None` is no limit.
    pub limit: Option<usize>,
}

impl SetAsideQuery {
    /// Selects all rows, in the order of upstreams and positions.
    pub fn all() -> Self {
        Self::default()
    }

    /// Selects all rows of an upstream.
    pub fn of(upstream: impl Into<String>) -> Self {
        Self {
            upstream: Some(upstream.into()),
            ..Self::default()
        }
    }

    /// Restricts the selection to events that wait.
    #[must_use]
    pub fn waiting(self) -> Self {
        Self {
            decided: Some(false),
            ..self
        }
    }

    /// Restricts the selection to events about which it is decided.
    #[must_use]
    pub fn decided(self) -> Self {
        Self {
            decided: Some(true),
            ..self
        }
    }

    /// Restricts the selection to the event at `position`.
    #[must_use]
    pub fn at(self, position: u64) -> Self {
        Self {
            above: position.checked_sub(1),
            up_to: Some(position),
            ..self
        }
    }

    /// Restricts the selection to these sequences.
    #[must_use]
    pub fn sequences(self, sequences: Vec<String>) -> Self {
        Self {
            sequences: Some(sequences),
            ..self
        }
    }

    /// Restricts the selection to the first event of each sequence that waits.
    #[must_use]
    pub fn firsts(self) -> Self {
        Self {
            firsts: true,
            ..self.waiting()
        }
    }

    /// Restricts the selection to events that are due at `time`.
    #[must_use]
    pub fn due(self, time: Timestamp) -> Self {
        Self {
            due: Some(time),
            ..self
        }
    }

    /// Restricts the number of rows.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self {
            limit: Some(limit),
            ..self
        }
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
