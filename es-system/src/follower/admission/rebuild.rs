//! The looks of a rebuild at the recorded policies.

use es_store::Followed;

use crate::error::{Error, Result};
use crate::follower::edge::Edge;
use crate::follower::policies::{Decision, StepBack};

impl Edge {
    /// Returns what is recorded when a rebuild begins. Fails if this program has to step back: its
    /// new tables would lack events.
    pub(in crate::follower) fn admit_rebuild(&self) -> Result<Followed> {
        let found = self.follower().followed(self.upstream.name())?;
        match self.decide(&found) {
            Decision::StepBack(reason) => Err(self.not_rebuilt(&reason)),
            _ => Ok(found),
        }
    }

    /// Returns what is recorded before the tables of a rebuild take the place of the old ones.
    /// Fails if this program has to step back by now, or another one has taken policies in or out
    /// since the rebuild has `begun`, because of the two programs that one was started last.
    pub(in crate::follower) fn admit_switch(&self, begun: &Followed) -> Result<Followed> {
        let found = self.admit_rebuild()?;
        match self.as_program(|program| program.changed_by_another(begun, &found)) {
            Some(reason) => Err(self.not_rebuilt(&reason)),
            None => Ok(found),
        }
    }

    fn not_rebuilt(&self, reason: &StepBack) -> Error {
        let (follower, upstream) = (self.processor.name(), self.upstream.name());
        let repair = "no table was replaced, and a rebuild that was begun is kept. Rebuild with \
                      the other program, which calls `discard_rebuild` first";
        let problem = match reason {
            StepBack::Lacks(topic) => format!(
                "another program has a policy for `{topic}` of `{upstream}`, and the tables of \
                 this one would lack its events: {repair}. If the policy was taken out on purpose, \
                 write that: `#[projection(retired(..))]`"
            ),
            StepBack::TakenOut(topic) => format!(
                "another program, which was started later, has taken out the policy for \
                 `{topic}` of `{upstream}`: {repair}"
            ),
            StepBack::TakenIn(topic) => format!(
                "another program, which was started later, has a policy for `{topic}` of \
                 `{upstream}`, which was taken out of this one: {repair}"
            ),
            StepBack::NewerReplay(line) => format!(
                "a newer program replays events of `{upstream}` in a way that this one does not \
                 know, `{line}`: {repair}"
            ),
        };
        Error::configuration(follower, problem)
    }
}
