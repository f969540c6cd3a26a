//! The operations on a follower: what an operator or the follower itself did, apart from processing
//! events.

use es_core::Timestamp;

/// An operation on a follower, as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The number of the operation; a later one has a higher number. 0 before it is recorded.
    pub id: u64,
    /// The kind of operation.
    pub kind: OperationKind,
    /// The name of the application that is followed; empty for all.
    pub upstream: String,
    /// The position concerned, if there is one.
    pub position: Option<u64>,
    /// The time of the operation.
    pub when: Timestamp,
    /// The person or program that asked for it.
    pub who: String,
    /// A text about it, such as the error that stopped the follower, sealed if the application has
    /// a cipher. May be empty.
    pub detail: String,
}

impl Operation {
    /// Creates an operation on the follower of `upstream`, or of all upstreams if that is empty.
    pub fn new(
        kind: OperationKind,
        upstream: impl Into<String>,
        who: impl Into<String>,
        when: Timestamp,
    ) -> Self {
        Self {
            id: 0,
            kind,
            upstream: upstream.into(),
            position: None,
            when,
            who: who.into(),
            detail: String::new(),
        }
    }

    /// Returns the same operation, at a position.
    #[must_use]
    pub fn at(self, position: u64) -> Self {
        Self {
            position: Some(position),
            ..self
        }
    }

    /// Returns the same operation, with a text about it.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: detail.into(),
            ..self
        }
    }
}

/// The kind of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationKind {
    /// A follower began to follow. The position is the head of the upstream at that time, or the
    /// position behind which the follower begins, if that is higher.
    Began,
    /// A follower stopped in front of an event. The text is its error.
    Stopped,
    /// A follower is to process no events until it is resumed.
    Paused,
    /// A follower that was stopped or paused goes on.
    Resumed,
    /// An event was passed over.
    Skipped,
    /// An event that was set aside is tried again.
    Retried,
    /// An event that was set aside was given up.
    Discarded,
    /// A follower's position was set back.
    Reset,
    /// A follower's position was set forward.
    StartedAt,
    /// The log of a restored upstream was accepted.
    AcceptedUpstream,
    /// The tables of a projection were rebuilt.
    Rebuilt,
}

impl OperationKind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Began,
        Self::Stopped,
        Self::Paused,
        Self::Resumed,
        Self::Skipped,
        Self::Retried,
        Self::Discarded,
        Self::Reset,
        Self::StartedAt,
        Self::AcceptedUpstream,
        Self::Rebuilt,
    ];

    /// Returns the text that is stored.
    pub fn text(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Stopped => "stopped",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Skipped => "skipped",
            Self::Retried => "retried",
            Self::Discarded => "discarded",
            Self::Reset => "reset",
            Self::StartedAt => "started-at",
            Self::AcceptedUpstream => "accepted-upstream",
            Self::Rebuilt => "rebuilt",
        }
    }

    /// Returns the kind from its text, or `None` if there is no such kind.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.text() == text)
    }

    /// Returns true if it tells whether a follower is to process events: that it is paused, or goes
    /// on. A stop is none of them, because it holds up one program alone.
    pub fn is_standing(self) -> bool {
        matches!(self, Self::Paused | Self::Resumed)
    }
}
