//! The decision of an edge before its first step.

use crate::error::{Error, Result};
use crate::follower::edge::Edge;
use crate::follower::failure::Failure;
use crate::follower::policies::Decision;

/// The maximum number of attempts to record the policies while others move the position.
const TRIES: u32 = 20;

impl Edge {
    /// Returns the error of a policy that was added without telling what becomes of the events that
    /// it has missed, if there are any. Nothing is changed.
    pub(crate) fn undecided(&self) -> Result<Option<Error>> {
        self.decide_at_start(false)
    }

    /// Records the policies of this program, if others are recorded and it does not step back.
    /// Returns the same error as [`undecided`](Self::undecided).
    ///
    /// Concurrency: an older program may move the position past an event of an added policy at any
    /// time until the policy is recorded, and then the first step would have to stop the follower.
    /// So the policies are recorded with the position at which nothing was missed, by
    /// compare-and-set. After that the older program steps back. If this cannot be recorded, for
    /// example because the store is away, the steps of the edge decide, and return the same error.
    /// If nothing is recorded at all, the first batch records the policies.
    pub(crate) fn record_at_start(&self) -> Result<Option<Error>> {
        self.decide_at_start(true)
    }

    fn decide_at_start(&self, records: bool) -> Result<Option<Error>> {
        for _ in 0..TRIES {
            let found = self.follower().followed(self.upstream.name())?;
            let mut decision = self.decide(&found);
            if let Decision::Ask(missed, next) = decision {
                let refusal = self.refusal(&missed, found.position.unwrap_or(0))?;
                if refusal.is_some() {
                    return Ok(refusal);
                }
                decision = *next;
            }
            let change = match decision {
                Decision::Record(change) if records => change,
                _ => break,
            };
            match self.record_policies(&change, &found) {
                Err(Failure::Retry { pause, .. }) if pause.is_contention() => {}
                _ => break,
            }
        }
        Ok(None)
    }
}
