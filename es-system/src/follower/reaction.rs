//! The reaction of an edge to a failure: it tries again after a while, sets the event aside, or the
//! follower stops.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Error, PolicyFailure, RetryLater};
use crate::follower::aside::Failed;
use crate::follower::delay::Delay;
use crate::follower::edge::{Edge, Front, Turn};
use crate::follower::events::Page;
use crate::follower::failure::{Failure, Pause};
use crate::follower::rules::{self, Attempts, Verdict};
use crate::follower::step::Next;
use crate::policy::on_error::OnError;

impl Edge {
    /// Decides the outcome of a failure. The rule of the user applies to a failure of a policy.
    pub(super) fn failed(&self, failure: Failure, turn: Turn, now: Instant, repairs: u64) -> Next {
        // Those that the events before the failed one have left, and those of another edge.
        drop(self.processor.take_kept());
        let left = self.state().left.take();
        let work = &self.processor.work;
        match failure {
            Failure::Retry { error, pause } => {
                if pause.is_contention() {
                    self.counters.count_fenced();
                }
                match turn {
                    Turn::Any => self.delay(|former| Delay::retry(former, error, pause, now)),
                    Turn::Retries => self.delay_retries(error, pause, now),
                }
            }
            Failure::Newer(event) => match work.rule_of_newer(&event.topic) {
                Some(rule) => self.policy_failed(event, rule, left, now, repairs),
                None => self.delay(|_| Delay::newer(event, now)),
            },
            Failure::SteppedBack(back) => self.delay(|_| Delay::stepped_back(back, now)),
            Failure::Policy(Error::Policy(failure)) => {
                let rule = work.rule(&failure.topic);
                self.policy_failed(failure, rule, left, now, repairs)
            }
            Failure::Policy(error) | Failure::Stop(error) => self.stop(error, repairs),
            Failure::Abandoned => Next::Never,
        }
    }

    /// Decides what becomes of the next event, whose policy has failed. `left` begins with it.
    fn policy_failed(
        &self,
        failure: Arc<PolicyFailure>,
        rule: OnError,
        left: Option<Page>,
        now: Instant,
        repairs: u64,
    ) -> Next {
        let asked = RetryLater::delay_of(&*failure.error);
        let front = self.front(&failure, asked.is_some());
        let attempts = Attempts {
            failures: front.failures,
            asked,
        };
        match rules::in_order(rule, attempts) {
            Verdict::Stop => self.stop(Error::Policy(failure), repairs),
            Verdict::Wait { pause } => {
                self.delay(|_| Delay::by_rule(failure, front.attempts, pause, now))
            }
            Verdict::SetAside { due_in } => self.set_aside(&failure, due_in, left),
        }
    }

    /// Counts a failure of the next event.
    fn front(&self, failure: &PolicyFailure, is_asked: bool) -> Front {
        let mut state = self.state();
        let former = state
            .front
            .filter(|front| front.position == failure.position);
        let former = former.unwrap_or(Front {
            position: failure.position,
            failures: 0,
            attempts: 0,
        });
        let front = Front {
            failures: former.failures.saturating_add(u32::from(!is_asked)),
            attempts: former.attempts.saturating_add(1),
            ..former
        };
        state.front = Some(front);
        front
    }

    /// Has the next step set the event aside, without its policy. `left` begins with the event.
    fn set_aside(
        &self,
        failure: &PolicyFailure,
        due_in: Option<Duration>,
        left: Option<Page>,
    ) -> Next {
        let left = left.filter(|left| {
            let first = left.events.first();
            first.is_some_and(|first| first.id == failure.position)
        });
        let error = self.follower().sealed(&*failure.error);
        let mut state = self.state();
        state.delay = None;
        state.failed = Some(Failed {
            position: failure.position,
            error,
            due_in,
        });
        state.left = left;
        Next::AtOnce
    }

    fn delay(&self, delay: impl FnOnce(Option<&Delay>) -> Delay) -> Next {
        let mut state = self.state();
        let former = state.delay.as_ref();
        let delay = delay(former).following(former);
        delay.trace(former, (self.processor.name(), self.upstream.name()));
        let next = Next::after(&delay);
        state.delay = Some(delay);
        next
    }

    /// Delays the retries alone. The edge waits on in front of its event.
    fn delay_retries(&self, error: Error, pause: Pause, now: Instant) -> Next {
        let mut state = self.state();
        let former = state.retries.delay.take();
        let former = former.as_ref();
        let delay = Delay::retry(former, error, pause, now).following(former);
        delay.trace(former, (self.processor.name(), self.upstream.name()));
        state.retries.delay = Some(delay);
        state.delay.as_ref().map_or(Next::AtOnce, Next::after)
    }

    /// Stops the follower. If its tables were rebuilt during the attempt, or it was resumed, the
    /// batch runs again instead.
    fn stop(&self, error: Error, repairs: u64) -> Next {
        // An event that could not be set aside is tried again when the follower is resumed.
        self.state().failed = None;
        if !self.processor.stop(error.clone(), repairs) {
            return Next::AtOnce;
        }
        let follower = self.processor.name();
        let upstream = self.upstream.name();
        tracing::error!(follower, upstream, %error, "a follower stops");
        self.has_stopped_for(&error);
        Next::WhenPrompted { or_at: None }
    }
}
