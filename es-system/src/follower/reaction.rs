//! The reaction of an edge to a failure: it tries again after a while, or the follower stops.

use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::error::Error;
use crate::follower::delay::Delay;
use crate::follower::edge::Edge;
use crate::follower::failure::Failure;
use crate::follower::step::Next;

impl Edge {
    /// Decides the outcome of a failure. The rule of the user applies to a failure of a policy; the
    /// only rule so far stops the follower in front of the event.
    pub(super) fn failed(&self, failure: Failure, now: Instant, repairs: u64) -> Next {
        // Those that the events before the failed one have left, and those of another edge.
        drop(self.processor.take_kept());
        match failure {
            Failure::Retry { error, pause } => {
                let conflicts = u64::from(pause.is_contention());
                self.conflicts.fetch_add(conflicts, Ordering::Relaxed);
                self.delay(|former| Delay::retry(former, error, pause, now))
            }
            Failure::Newer(event) => self.delay(|_| Delay::newer(event, now)),
            Failure::SteppedBack(back) => self.delay(|_| Delay::stepped_back(back, now)),
            Failure::Policy(error) | Failure::Stop(error) => self.stop(error, repairs),
            Failure::Abandoned => Next::Never,
        }
    }

    fn delay(&self, delay: impl FnOnce(Option<&Delay>) -> Delay) -> Next {
        let mut state = self.state();
        let former = state.delay.as_ref();
        let delay = delay(former);
        delay.trace(former, (self.processor.name(), self.upstream.name()));
        let next = Next::after(&delay);
        state.delay = Some(delay);
        next
    }

    /// Stops the follower. If its tables were rebuilt during the attempt, the batch runs again with
    /// the new ones instead.
    fn stop(&self, error: Error, repairs: u64) -> Next {
        let message = error.to_string();
        if !self.processor.stop(error, repairs) {
            return Next::AtOnce;
        }
        let follower = self.processor.name();
        let upstream = self.upstream.name();
        tracing::error!(follower, upstream, error = %message, "a follower stops");
        Next::Never
    }
}
