//! The selection of events that are set aside.

use es_core::Timestamp;

use crate::role::rebuild_row;

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

    /// Selects all rows of a projection's rebuild for an upstream.
    pub fn of_rebuild(upstream: &str) -> Self {
        Self::of(rebuild_row(upstream))
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

    /// Restricts the selection to events that are due at `time`. They come in the order of their
    /// times.
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
