//! The operations on an edge that are recorded: it stops, is paused, and goes on.
//!
//! The record is how an operator's program reaches those that run. An edge looks at it when it is
//! prompted and at each poll. To have stopped is known in one process alone, because another one
//! may have the repaired policy: the row about it tells operators, and holds up nobody.

use es_core::Timestamp;
use es_core::source::{Source, SystemSource};
use es_store::{Followed, Head, Operation, OperationKind, PoliciesMove, Recording};

use crate::error::{Error, Result};
use crate::follower::Follower;
use crate::follower::edge::{Edge, Stop};
use crate::follower::events::Lane;
use crate::follower::failure::Failure;

/// The name under which a follower records operations of its own.
const FOLLOWER: &str = "the follower";

/// The beginning of a follower.
pub(super) enum Beginning {
    /// It begins now, and its first move records this operation.
    Now(Operation),
    /// It has begun before, or the operation cannot be recorded.
    Before,
    /// Its position has moved to where it begins.
    Moved,
    /// The upstream has not reached the event with which it begins.
    NotYet,
}

/// Returns true if the follower has made no move yet.
pub(super) fn is_new(followed: &Followed) -> bool {
    followed.position.unwrap_or(0) == 0 && followed.began.is_none()
}

impl Follower {
    /// Has those edges go on that have stopped and may do so by now. They would find that out at
    /// their next look, and whoever operates the follower does not have to wait for it.
    pub(crate) fn see_operations(&self) {
        let stopped = self.edges().iter().filter(|edge| edge.has_stopped());
        for edge in stopped {
            edge.goes_on();
        }
    }
}

impl Edge {
    /// Decides where a new follower begins. The head of the upstream is recorded with its first
    /// move, so of several programs at once one records it.
    pub(super) fn begin(
        &self,
        followed: &mut Followed,
        policies: &PoliciesMove,
        head: &Head,
    ) -> Result<Beginning, Failure> {
        if !is_new(followed) {
            return Ok(Beginning::Before);
        }
        let start = self.processor.work.begins_behind(head.position);
        if start > head.position {
            return Ok(Beginning::NotYet);
        }
        followed.began = Some(head.position);
        let began = self.began(head.position);
        if start == 0 {
            return Ok(began.map_or(Beginning::Before, Beginning::Now));
        }
        let event = self.upstream.on_store(|store| store.event_at(start))?;
        let lane = Lane::Live(policies.clone());
        self.move_past(&lane, 0, Head::new(start, event), began)?;
        Ok(Beginning::Moved)
    }

    /// Returns the operation that the first move of a new follower records, where operations can be
    /// recorded: the events up to `head` are its past.
    pub(super) fn began(&self, head: u64) -> Option<Operation> {
        let began = || {
            let upstream = self.upstream.name();
            // The clock of a test may count how often it is read, and this is about no event.
            let now = SystemSource.now();
            Operation::new(OperationKind::Began, upstream, FOLLOWER, now).at(head)
        };
        self.processor.records_operations().then(began)
    }

    /// Takes over the last operation that tells how the follower stands.
    pub(super) fn see_standing(&self, followed: &Followed) {
        let standing = followed.standing.as_ref();
        let is_paused = |one: &&Operation| one.kind == OperationKind::Paused;
        let mut state = self.state();
        state.standing = standing.map_or(0, |one| one.id);
        state.paused = standing.filter(is_paused).cloned();
        state.stop = None;
    }

    /// Returns true if the edge is paused, as the last look has found it.
    pub(super) fn is_paused(&self) -> bool {
        self.state().paused.is_some()
    }

    /// Has a follower that was stopped by this edge go on if it was resumed later, or if its
    /// position has passed the event. Returns false if it remains stopped, or if its store cannot
    /// be read now.
    pub(super) fn goes_on(&self) -> bool {
        let Some(stop) = self.state().stop else {
            return false;
        };
        let Ok(found) = self.follower().followed(self.upstream.name()) else {
            return false;
        };
        let is_newer =
            |one: &Operation| one.kind == OperationKind::Resumed && one.id > stop.standing;
        let is_resumed = found.standing.as_ref().is_some_and(is_newer);
        let is_passed = stop.position.is_some_and(|at| found.position >= Some(at));
        if is_resumed || is_passed {
            self.state().stop = None;
            self.processor.repaired();
            let (follower, upstream) = (self.processor.name(), self.upstream.name());
            tracing::info!(follower, upstream, "a follower goes on");
        }
        is_resumed || is_passed
    }

    /// Keeps and records that the follower has stopped because of `error`. It has stopped, whether
    /// or not that can be recorded.
    pub(super) fn has_stopped_for(&self, error: &Error) {
        let position = match error {
            Error::Policy(failure) => Some(failure.position),
            _ => None,
        };
        {
            let mut state = self.state();
            let last = state.last_position;
            state.stop = Some(Stop {
                standing: state.standing,
                // In a replay the position has passed the event before.
                position: position.filter(|at| *at > last),
            });
        }
        if !self.processor.records_operations() {
            return;
        }
        let now = Timestamp::now();
        let stopped = Operation::new(OperationKind::Stopped, self.upstream.name(), FOLLOWER, now)
            .detail(self.follower().sealed(error));
        let stopped = match position {
            Some(position) => stopped.at(position),
            None => stopped,
        };
        let recording = Recording::default().operation(stopped);
        if let Err(error) = self.follower().record(&recording) {
            let (follower, upstream) = (self.processor.name(), self.upstream.name());
            tracing::warn!(follower, upstream, %error, "the stop of a follower was not recorded");
        }
    }
}
