//! The position up to which a follower has processed an upstream.

use std::borrow::Cow;

use crate::error::StoreError;
use crate::followed::PoliciesMove;
use crate::role::is_reserved;
use crate::upstream_event::UpstreamEvent;

/// The prefix of the upstream's name in the rows of a replay. No application may have a name that
/// begins with it.
const REPLAY: &str = "__replay__";

/// One move of a follower's position in an upstream's notification log.
///
/// A move is a compare-and-set: it takes place only if the recorded position is exactly `from`, and
/// the recorded policies are those that it expects. Otherwise nothing of the
/// [`Recording`](crate::Recording) is stored. This makes processing exactly-once. It would not be
/// enough to check that `to` is above the recorded position: an instance that pulled 101 to 200
/// would commit after another had committed 101 to 150.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tracking {
    /// The name of the application that is followed. Names that begin with `__` are reserved.
    pub upstream: String,
    /// The position at which the batch started; 0 is in front of the first event.
    pub from: u64,
    /// The position up to which everything is processed; at least `from`, unless an operator moves
    /// it back.
    pub to: u64,
    /// The event at `to`, if it is known. A later batch uses it to notice that the upstream's log
    /// was replaced.
    pub at: Option<UpstreamEvent>,
    /// The policies to which the events up to `to` were offered. Without them, those that are
    /// recorded for `from` do not count for a later position.
    pub policies: Option<PoliciesMove>,
    /// True if it is the position of a replay that moves, and not that of the follower.
    pub of_replay: bool,
    /// True if the position may go back, because an operator has moved it.
    pub may_go_back: bool,
}

impl Tracking {
    /// Creates a move from one position to another.
    pub fn new(upstream: impl Into<String>, from: u64, to: u64) -> Self {
        Self {
            upstream: upstream.into(),
            from,
            to,
            at: None,
            policies: None,
            of_replay: false,
            may_go_back: false,
        }
    }

    /// Creates a move by an operator, which may go back.
    pub fn anywhere(upstream: impl Into<String>, from: u64, to: u64) -> Self {
        Self {
            may_go_back: true,
            ..Self::new(upstream, from, to)
        }
    }

    /// Creates a move of a replay in `upstream`, with the policies that take part in it. The first
    /// move, which expects no policies, starts at 0. The last one has no new policies: it removes
    /// the position of the replay.
    pub fn replay(upstream: impl Into<String>, from: u64, to: u64, policies: PoliciesMove) -> Self {
        Self {
            of_replay: true,
            ..Self::new(upstream, from, to).policies(policies)
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

    /// Returns the same move, with the policies to which the events were offered.
    #[must_use]
    pub fn policies(self, policies: PoliciesMove) -> Self {
        Self {
            policies: Some(policies),
            ..self
        }
    }

    /// Returns true if the move removes the position of a replay.
    pub fn ends_replay(&self) -> bool {
        self.of_replay && self.policies.as_ref().is_some_and(|one| one.new.is_none())
    }

    /// Returns the upstream's name in the row of the position.
    pub(crate) fn row(&self) -> Cow<'_, str> {
        if self.of_replay {
            Cow::Owned(replay_row(&self.upstream))
        } else {
            Cow::Borrowed(&self.upstream)
        }
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let Self {
            upstream,
            from,
            to,
            at,
            policies,
            of_replay,
            may_go_back,
        } = self;
        let invalid = |problem| Err(StoreError::Invalid(problem));
        if is_reserved(upstream) {
            return invalid(format!(
                "`{upstream}` cannot be the name of an upstream: `__` is reserved"
            ));
        }
        if to < from && !may_go_back {
            return invalid(format!(
                "the position in `{upstream}` would go back from {from} to {to}"
            ));
        }
        if i64::try_from(*to).is_err() {
            return invalid(format!("position {to} in `{upstream}` is too large"));
        }
        if let Some(version) = at.as_ref().map(|at| at.originator_version)
            && i64::try_from(version).is_err()
        {
            return invalid(format!(
                "version {version} of an event of `{upstream}` is too large"
            ));
        }
        match policies {
            None if *of_replay => invalid(format!("a replay of `{upstream}` needs policies")),
            None => Ok(()),
            Some(policies) => policies.check(upstream, *of_replay),
        }
    }
}

/// Returns the name of `upstream` in the rows of its replay.
pub(crate) fn replay_row(upstream: &str) -> String {
    format!("{REPLAY}{upstream}")
}
