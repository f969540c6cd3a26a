//! The beginning of a step: an edge follows, replays or steps back, as the recorded policies allow
//! it.

mod call;
mod question;
mod rebuild;
mod replay;
mod start;

#[cfg(test)]
mod tests;

use std::time::Instant;

use es_store::{Followed, PoliciesMove, Recording};

use crate::error::{Error, Result};
use crate::follower::edge::Edge;
use crate::follower::failure::Failure;
use crate::follower::policies::{Admitted, Change, Decision, Look, Program, StepBack, SteppedBack};

impl Edge {
    /// Decides by what is recorded. If the record has to be changed first, changes it. `has_events`
    /// is true if there are events behind the position.
    pub(super) fn admit(
        &self,
        found: &Followed,
        has_events: bool,
        now: Instant,
    ) -> Result<Admitted, Failure> {
        let mut decision = self.decide(found);
        if let Decision::StepBack(reason) = &decision
            && reason.may_end()
        {
            let look = self.state().membership.look(found, has_events, now);
            match look {
                Look::Wait => {}
                Look::Call => self.call(found)?,
                Look::Over => decision = self.decide(found),
            }
        }
        self.carry_out(decision, found)
    }

    /// Returns true if events were left to be replayed at the last look.
    pub(crate) fn is_replaying(&self) -> bool {
        self.state().membership.is_replaying
    }

    /// Fails if this program has to step back.
    pub(super) fn refuse_to_step_back(&self, found: &Followed) -> Result<()> {
        match self.decide(found) {
            Decision::StepBack(reason) => Err(self.stepped_back(reason, found).error),
            _ => Ok(()),
        }
    }

    /// Returns the policies with which somebody beside this edge may move the position now.
    pub(super) fn policies_of_move(&self, found: &Followed) -> Result<PoliciesMove> {
        match self.decide(found) {
            Decision::Follow => {
                let tag = self.processor.policies.tag.clone();
                Ok(PoliciesMove::new(found.policies.clone(), tag))
            }
            Decision::Begin(change) => Ok(change.policies(found)),
            Decision::StepBack(reason) => Err(self.stepped_back(reason, found).error),
            Decision::Record(_) | Decision::Replay(_) | Decision::Ask(..) => {
                let (follower, upstream) = (self.processor.name(), self.upstream.name());
                Err(Error::Usage(format!(
                    "{follower}: its policies for `{upstream}` are being changed: try again when it \
                     follows with them"
                )))
            }
        }
    }

    fn decide(&self, found: &Followed) -> Decision {
        if self.processor.policies.are_recorded(found) {
            return Decision::Follow;
        }
        self.as_program(|program| program.decide(found))
    }

    fn as_program<T>(&self, decide: impl FnOnce(Program<'_>) -> T) -> T {
        let own = &self.processor.policies;
        let membership = &self.state().membership;
        decide(Program {
            policies: &own.declared,
            is_projection: own.is_projection,
            joined: &membership.joined,
            has_followed: membership.has_followed,
        })
    }

    fn carry_out(&self, decision: Decision, found: &Followed) -> Result<Admitted, Failure> {
        match decision {
            Decision::Follow => Ok(Admitted::Follow(self.follow(found)?)),
            Decision::Begin(change) => {
                self.state().membership.is_settled = true;
                Ok(Admitted::Follow(change.policies(found)))
            }
            Decision::Record(change) => {
                self.state().membership.is_settled = false;
                self.record_policies(&change, found)?;
                self.state().membership.is_replaying = change.replays(found);
                Ok(Admitted::Changed)
            }
            Decision::Replay(missed) => {
                self.join(|topic| missed.knows(topic));
                let mut state = self.state();
                state.membership.is_settled = false;
                state.membership.is_replaying = true;
                Ok(Admitted::Replay(missed))
            }
            Decision::Ask(missed, next) => {
                match self.refusal(&missed, found.position.unwrap_or(0))? {
                    Some(refusal) => Err(Failure::Stop(refusal)),
                    None => self.carry_out(*next, found),
                }
            }
            Decision::StepBack(reason) => {
                self.state().membership.is_settled = false;
                Err(Failure::SteppedBack(self.stepped_back(reason, found)))
            }
        }
    }

    fn stepped_back(&self, reason: StepBack, found: &Followed) -> SteppedBack {
        let names = (self.processor.name(), self.upstream.name());
        let is_projection = self.processor.policies.is_projection;
        SteppedBack::new(reason, found.position.unwrap_or(0), names, is_projection)
    }

    /// Returns the policies that a move records from now on.
    ///
    /// # Errors
    /// Fails if a program has moved the position that does not record its policies, and a rule of
    /// this one may set events aside.
    fn follow(&self, found: &Followed) -> Result<PoliciesMove, Failure> {
        self.join(|_| true);
        let mut state = self.state();
        state.membership.is_settled = true;
        state.membership.is_replaying = false;
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
        let is_foreign = found.policies.is_none() && found.position > Some(0);
        if is_foreign && self.processor.work.can_set_aside() {
            return Err(Failure::Stop(self.refuse_to_set_aside(found)));
        }
        let tag = self.processor.policies.tag.clone();
        Ok(PoliciesMove::new(found.policies.clone(), tag))
    }

    /// Returns the error of a follower that cannot set events aside, because a program follows
    /// beside it that does not know what is set aside: it would process later events of the same
    /// aggregates before those that wait.
    fn refuse_to_set_aside(&self, found: &Followed) -> Error {
        let (follower, upstream) = (self.processor.name(), self.upstream.name());
        let problem = format!(
            "a program that does not know what is set aside has moved the position in `{upstream}` \
             to {}, such as one in Python or of an older release: it would process events before \
             earlier ones of the same aggregate that wait. End that program and start this one once \
             with {}_ON_ERROR=stop, or take the rules with `set_aside` out",
            found.position.unwrap_or(0),
            follower.to_uppercase()
        );
        Error::configuration(follower, problem)
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
