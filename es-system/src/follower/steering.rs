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
use crate::follower::delay::Delay;
use crate::follower::edge::{Edge, Stop};
use crate::follower::events::Lane;
use crate::follower::failure::Failure;

/// The name under which a follower records operations of its own.
const FOLLOWER: &str = "the follower";

/// The place of a follower at a look, as far as it concerns where it begins.
pub(super) enum Beginning {
    /// It has reached the place, or has begun before.
    Reached,
    /// Its position has moved to the place.
    Moved,
    /// The upstream had not reached the place when the follower began. The events up to this one
    /// are passed over.
    Passes(Head),
    /// The upstream has not reached the place, and that cannot be recorded.
    NotYet,
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
    /// Decides where a new follower begins, and records it at the first look at the upstream, even
    /// if the upstream has no event yet. `ahead` is the head of the upstream if it lies behind the
    /// recorded position.
    ///
    /// Concurrency: the record of a beginning that moves no position is not fenced. Of several
    /// programs that look for the first time at once, each may add one, and the last counts. They
    /// differ by the events that came between these looks.
    pub(super) fn begin(
        &self,
        followed: &mut Followed,
        policies: &PoliciesMove,
        ahead: Option<&Head>,
    ) -> Result<Beginning, Failure> {
        let work = &self.processor.work;
        let position = followed.position.unwrap_or(0);
        let head = ahead.map_or(position, |head| head.position);
        if position > 0 || followed.began.is_some() {
            // The place is recorded as the beginning if the upstream had not reached it.
            let place = work.begins_behind(0);
            let waits = followed.began == Some(place) && position < place && head > position;
            return match waits {
                true => Ok(Beginning::Passes(self.head_at(head.min(place))?)),
                false => Ok(Beginning::Reached),
            };
        }
        let place = work.begins_behind(head);
        let can_record = self.processor.records_operations();
        if place > head && !can_record {
            return Ok(Beginning::NotYet);
        }
        let began = self.began(head);
        followed.began = began.position;
        let began = Some(began).filter(|_| can_record);
        let to = head.min(place);
        if to > 0 {
            let lane = Lane::Live(policies.clone());
            self.move_past(&lane, 0, self.head_at(to)?, began)?;
            return Ok(Beginning::Moved);
        }
        if let Some(began) = began {
            self.processor.refuse_abandoned()?;
            let recording = Recording::default().operation(began);
            self.follower().record(&recording)?;
        }
        Ok(Beginning::Reached)
    }

    /// Returns the beginning, which an operator's move to `to` records beside itself, if the
    /// follower has never looked at the upstream.
    pub(super) fn beginning(&self, found: &Followed, to: u64) -> Result<Recording> {
        let has_begun = found.position.unwrap_or(0) > 0 || found.began.is_some();
        if to == 0 || has_begun {
            return Ok(Recording::default());
        }
        let head = self.upstream.head()?.map_or(0, |head| head.position);
        // The operator tells where it begins, so that the place of its block does not count.
        let began = self.began(head).at(head);
        Ok(Recording::default().operation(began))
    }

    /// Returns the operation by which a follower begins while the upstream has this head.
    fn began(&self, head: u64) -> Operation {
        let began = self.processor.work.begins_behind(head).max(head);
        // The clock of a test may count how often it is read, and this is about no event.
        let now = SystemSource.now();
        Operation::new(OperationKind::Began, self.upstream.name(), FOLLOWER, now).at(began)
    }

    fn head_at(&self, position: u64) -> Result<Head> {
        let event = self.upstream.on_store(|store| store.event_at(position))?;
        Ok(Head::new(position, event))
    }

    /// Takes over the last operation that tells whether the follower is to process events.
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

    /// Returns true if the edge waits in front of an event by a rule, and its position or the last
    /// operation is another one than it has seen: an operator has moved, paused or resumed it, or
    /// another program has processed the event. Then the wait ends, however long it would take.
    pub(super) fn is_operated(&self) -> bool {
        let (position, standing) = {
            let state = self.state();
            if !state.delay.as_ref().is_some_and(Delay::is_by_rule) {
                return false;
            }
            (state.last_position, state.standing)
        };
        let Ok(found) = self.follower().followed(self.upstream.name()) else {
            return false;
        };
        let last = found.standing.map_or(0, |one| one.id);
        let is_operated = (found.position.unwrap_or(0), last) != (position, standing);
        if is_operated {
            self.state().delay = None;
        }
        is_operated
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
