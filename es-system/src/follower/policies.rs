//! The policies for which the position of a follower counts.
//!
//! Each step of an edge begins here: what is recorded about the policies decides whether this
//! program may move the position, see [`decision`].

mod change;
mod decision;
mod membership;
mod missed;
mod question;
mod replay;
mod replaying;
mod stepped_back;

#[cfg(test)]
mod tests;

use std::time::Instant;

use es_store::{Followed, PoliciesMove, PolicySet, Recording};

use self::change::Change;
use self::decision::{Decision, Program};
pub(super) use self::membership::Membership;
pub(super) use self::missed::Missed;
pub(super) use self::stepped_back::SteppedBack;
use crate::error::{Error, Result};
use crate::follower::edge::Edge;
use crate::follower::failure::Failure;
use crate::policy::policy_set::{DeclaredPolicies, tag};

/// The policies of a program, as a follower compares them with those that are recorded.
pub(super) struct OwnPolicies {
    declared: DeclaredPolicies,
    /// The tag of their topics.
    tag: String,
    is_projection: bool,
}

impl OwnPolicies {
    pub(super) fn new(declared: DeclaredPolicies, is_projection: bool) -> Self {
        Self {
            tag: tag(&declared.topics()),
            declared,
            is_projection,
        }
    }

    /// Returns the policies as a rebuild records them.
    pub(super) fn recorded(&self) -> PolicySet {
        let topics = self.declared.topics().into_iter().map(str::to_owned);
        PolicySet::new(self.tag.clone(), topics)
    }
}

/// The next work of an edge, as the recorded policies allow it.
pub(super) enum Admitted {
    /// It may move the position, with the policies.
    Follow(PoliciesMove),
    /// It has nothing to do before the first event.
    Idle,
    /// It replays these events, and then decides again.
    Replay(Missed),
    /// It has recorded a change, and decides again.
    Changed,
}

impl Edge {
    /// Decides by what is recorded. If the record has to be changed first, changes it. `has_events`
    /// is true if there are events behind the position.
    pub(super) fn admit(&self, found: &Followed, has_events: bool) -> Result<Admitted, Failure> {
        let mut decision = self.decide(found);
        if let Decision::StepBack(reason) = &decision
            && reason.may_end()
            && (has_events || found.replay.is_some())
            && self.state().membership.stalls(found, Instant::now())
        {
            decision = self.decide(found);
        }
        match decision {
            Decision::Begin(_) if !has_events => {
                self.state().membership.is_settled = true;
                Ok(Admitted::Idle)
            }
            decision => self.carry_out(decision, found),
        }
    }

    /// Returns the error of a policy that was added without telling what becomes of the events that
    /// it has missed, if there are any. Nothing is changed.
    pub(crate) fn undecided(&self) -> Result<Option<Error>> {
        let found = self.follower().followed(self.upstream.name())?;
        match self.decide(&found) {
            Decision::Ask(missed, _) => self.refusal(&missed, found.position.unwrap_or(0)),
            _ => Ok(None),
        }
    }

    /// Fails if this program has to step back: new tables of its own would lack events.
    pub(super) fn refuse_to_lack_policies(&self) -> Result<()> {
        let found = self.follower().followed(self.upstream.name())?;
        match self.decide(&found) {
            Decision::StepBack(reason) => {
                let back = SteppedBack::new(self, reason, found.position.unwrap_or(0));
                Err(back.error)
            }
            _ => Ok(()),
        }
    }

    fn decide(&self, found: &Followed) -> Decision {
        let own = &self.processor.policies;
        let membership = &self.state().membership;
        let program = Program {
            policies: &own.declared,
            is_projection: own.is_projection,
            joined: &membership.joined,
            has_followed: membership.has_followed,
        };
        program.decide(found)
    }

    fn carry_out(&self, decision: Decision, found: &Followed) -> Result<Admitted, Failure> {
        match decision {
            Decision::Follow => Ok(Admitted::Follow(self.follow(found))),
            Decision::Begin(change) | Decision::Record(change) => {
                self.record_policies(&change, found)?;
                Ok(Admitted::Changed)
            }
            Decision::Replay(missed) => {
                self.join(|topic| missed.knows(topic));
                self.state().membership.is_settled = false;
                Ok(Admitted::Replay(missed))
            }
            Decision::Ask(missed, next) => {
                match self.refusal(&missed, found.position.unwrap_or(0))? {
                    Some(refusal) => Err(Failure::Stop(refusal)),
                    None => self.carry_out(*next, found),
                }
            }
            Decision::StepBack(reason) => {
                let back = SteppedBack::new(self, reason, found.position.unwrap_or(0));
                Err(Failure::SteppedBack(back))
            }
        }
    }

    /// Returns the policies that a move records from now on.
    fn follow(&self, found: &Followed) -> PoliciesMove {
        self.join(|_| true);
        let mut state = self.state();
        state.membership.is_settled = true;
        state.membership.has_followed = true;
        if found.policies.is_none()
            && found.position > Some(0)
            && !std::mem::replace(&mut state.membership.has_reported, true)
        {
            let (follower, upstream) = (self.processor.name(), self.upstream.name());
            tracing::warn!(
                follower,
                upstream,
                position = found.position,
                "a program that does not record its policies has moved the position of a follower"
            );
        }
        PoliciesMove::new(found.policies.clone(), self.processor.policies.tag.clone())
    }

    /// Records a change. Fails if the position or its policies are others by now.
    fn record_policies(&self, change: &Change, found: &Followed) -> Result<(), Failure> {
        self.processor.refuse_abandoned()?;
        let trackings = change.trackings(self.upstream.name(), found);
        let recording = trackings
            .into_iter()
            .fold(Recording::default(), Recording::tracking);
        self.processor.application.record(&recording)?;
        self.join(|topic| change.has(topic));
        Ok(())
    }

    /// Keeps the declared topics for which `is_joined` is true.
    fn join(&self, is_joined: impl Fn(&str) -> bool) {
        let declared = &self.processor.policies.declared.declared;
        let joined = &mut self.state().membership.joined;
        if joined.len() < declared.len() {
            let topics = declared.iter().map(|one| &one.topic);
            joined.extend(topics.filter(|topic| is_joined(topic)).cloned());
        }
    }
}
