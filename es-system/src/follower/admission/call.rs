//! Calls: a program that waits for another one finds out if that one is still there.
//!
//! A program that follows shows by its progress that it is there. Where no events come, it makes no
//! progress, and a program that waits for it cannot tell it from one that has ended. So the waiting
//! program calls: it records a tag that belongs to no policies. A program that follows and has
//! nothing to do answers at its next look, by recording its own tag. If nobody answers for as long
//! as a program may make no progress, the waiting one decides again.
//!
//! Concurrency: both moves are compare-and-sets at a position that stands. A batch that was read
//! before one of them is lost and runs again, as after any change of the policies.

use es_store::{Followed, Head, PoliciesMove, Recording, Tracking};

use crate::follower::edge::{Edge, Pulled};
use crate::follower::events::Lane;
use crate::follower::failure::Failure;
use crate::follower::policies::{CALL, is_called};

impl Edge {
    /// Calls the program that follows.
    pub(super) fn call(&self, found: &Followed) -> Result<(), Failure> {
        self.processor.refuse_abandoned()?;
        let position = found.position.unwrap_or(0);
        let policies = PoliciesMove::new(found.policies.clone(), CALL);
        let call = Tracking::new(self.upstream.name(), position, position).policies(policies);
        let recording = Recording::default().tracking(call);
        self.processor.application.record(&recording)?;
        Ok(())
    }

    /// Ends a step that has found no events. If another program has called, answers with the
    /// `policies` of this one.
    pub(in crate::follower) fn rest(
        &self,
        found: &Followed,
        policies: PoliciesMove,
    ) -> Result<Pulled, Failure> {
        if !is_called(found) {
            return Ok(Pulled::Nothing { or_at: None });
        }
        let position = found.position.unwrap_or(0);
        let here = Head::new(position, found.event.clone());
        self.move_past(&Lane::Live(policies), position, here)?;
        Ok(Pulled::changed())
    }
}
