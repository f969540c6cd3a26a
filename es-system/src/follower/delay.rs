//! The delay after which an edge tries the same events again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use es_core::Timestamp;
use es_store::backoff::Backoff;

use crate::error::{Error, PolicyFailure};
use crate::follower::failure::Pause;
use crate::follower::policies::SteppedBack;
use crate::follower::status::Condition;

/// The pauses between attempts at a batch.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));
/// The pauses while the store is configured wrongly.
const CONFIGURATION_PAUSES: Backoff =
    Backoff::new(Duration::from_millis(10), Duration::from_secs(10));
/// The number of failures in a row from which a wrong configuration is reported.
const REPORTED: u32 = 3;
/// The time between two looks at an event or at policies that are newer than this program. A newer
/// program may have processed the event meanwhile, or may be gone.
const NEWER_PAUSE: Duration = Duration::from_secs(1);

/// A delay, and its cause.
pub(super) struct Delay {
    cause: Cause,
    /// The moment of the next attempt.
    at: Instant,
    /// The time of the first failure in a row.
    since: Timestamp,
}

enum Cause {
    /// A series of failures, after which the batch runs again.
    Failures {
        last: Error,
        attempts: u32,
        /// True if another writer was first, which is no failure of a store.
        is_contention: bool,
    },
    /// The next event is newer than this program.
    Newer(Arc<PolicyFailure>),
    /// The policy for the next event has failed, and its rule is to try it again in front of the
    /// others.
    Rule {
        failure: Arc<PolicyFailure>,
        attempts: u32,
    },
    /// Other policies are recorded than those of this program.
    SteppedBack(SteppedBack),
}

impl Delay {
    /// Returns the delay after a failure, which follows `former`. The pause grows with each
    /// attempt.
    pub(super) fn retry(former: Option<&Self>, error: Error, pause: Pause, now: Instant) -> Self {
        let attempts = match former.map(|delay| &delay.cause) {
            Some(Cause::Failures { attempts, .. }) => attempts.saturating_add(1),
            _ => 1,
        };
        let is_contention = pause.is_contention();
        let pauses = match pause {
            Pause::Configuration => &CONFIGURATION_PAUSES,
            _ => &PAUSES,
        };
        let pause = pause.time(pauses, attempts);
        Self {
            cause: Cause::Failures {
                last: error,
                attempts,
                is_contention,
            },
            at: now + pause,
            since: Timestamp::now(),
        }
    }

    /// Returns the delay in front of an event that is newer than this program.
    pub(super) fn newer(event: Arc<PolicyFailure>, now: Instant) -> Self {
        Self {
            cause: Cause::Newer(event),
            at: now + NEWER_PAUSE,
            since: Timestamp::now(),
        }
    }

    /// Returns the delay in front of an event whose policy is tried again after `pause`.
    pub(super) fn by_rule(
        failure: Arc<PolicyFailure>,
        attempts: u32,
        pause: Duration,
        now: Instant,
    ) -> Self {
        Self {
            cause: Cause::Rule { failure, attempts },
            at: now + pause,
            since: Timestamp::now(),
        }
    }

    /// Returns the delay of a program that has other policies than those that are recorded.
    pub(super) fn stepped_back(back: SteppedBack, now: Instant) -> Self {
        Self {
            cause: Cause::SteppedBack(back),
            at: now + NEWER_PAUSE,
            since: Timestamp::now(),
        }
    }

    /// Returns the same delay, which goes on where `former` has ended, if it has the same kind of
    /// cause.
    pub(super) fn following(self, former: Option<&Self>) -> Self {
        let kind = |delay: &Self| std::mem::discriminant(&delay.cause);
        match former.filter(|former| kind(former) == kind(&self)) {
            Some(former) => Self {
                since: former.since,
                ..self
            },
            None => self,
        }
    }

    /// Returns the time of the first failure in a row.
    pub(super) fn since(&self) -> Timestamp {
        self.since
    }

    /// Returns the moment of the next attempt.
    pub(super) fn at(&self) -> Instant {
        self.at
    }

    /// Returns true if the moment of the next attempt has not come.
    pub(super) fn is_pending(&self, now: Instant) -> bool {
        self.at > now
    }

    /// Ends the delay, so that the next step tries again at once, unless a rule has set it.
    pub(super) fn end(&mut self) {
        if !matches!(self.cause, Cause::Rule { .. }) {
            self.at = Instant::now();
        }
    }

    /// Returns true if a rule, or a policy that has asked for it, has set the delay, which may be
    /// long.
    pub(super) fn is_by_rule(&self) -> bool {
        matches!(self.cause, Cause::Rule { .. })
    }

    /// Returns true if the next attempt is a retry: a store or a policy has failed.
    pub(super) fn is_retry(&self) -> bool {
        match self.cause {
            Cause::Failures { is_contention, .. } => !is_contention,
            Cause::Rule { .. } => true,
            Cause::Newer(_) | Cause::SteppedBack(_) => false,
        }
    }

    /// Returns true if a store has failed, or another writer was first.
    pub(super) fn is_of_failure(&self) -> bool {
        matches!(self.cause, Cause::Failures { .. })
    }

    /// Returns the event in front of which the edge waits, if that is the cause.
    pub(super) fn waits_for(&self) -> Option<&PolicyFailure> {
        match &self.cause {
            Cause::Failures { .. } | Cause::SteppedBack(_) => None,
            Cause::Newer(event) | Cause::Rule { failure: event, .. } => Some(event),
        }
    }

    fn newer_event(&self) -> Option<&PolicyFailure> {
        self.waits_for()
            .filter(|_| matches!(self.cause, Cause::Newer(_)))
    }

    fn has_stepped_back_for(&self, of: &str) -> bool {
        matches!(&self.cause, Cause::SteppedBack(SteppedBack { topic, .. }) if topic == of)
    }

    /// Returns the error of a store that is configured wrongly, from the third attempt on.
    pub(super) fn misconfigured(&self) -> Option<Error> {
        match &self.cause {
            Cause::Failures { last, attempts, .. }
                if *attempts >= REPORTED && last.is_of_configuration() =>
            {
                Some(last.clone())
            }
            _ => None,
        }
    }

    /// Returns the condition of an edge of `follower` with `upstream`.
    pub(super) fn condition(&self, (follower, upstream): (&str, &str)) -> Condition {
        match &self.cause {
            Cause::Failures { last, attempts, .. } => {
                let (error, attempts) = (last.clone(), *attempts);
                if error.is_of_configuration() {
                    return Condition::Misconfigured { error, attempts };
                }
                Condition::Retrying { error, attempts }
            }
            Cause::Newer(event) => Condition::WaitingForNewer {
                application: event.application.clone(),
                upstream: event.upstream.clone(),
                position: event.position,
                topic: event.topic.clone(),
                error: Error::Policy(event.clone()),
            },
            Cause::Rule { failure, attempts } => Condition::Waiting {
                error: Error::Policy(failure.clone()),
                attempts: *attempts,
            },
            Cause::SteppedBack(back) => Condition::WaitingForNewer {
                application: follower.to_owned(),
                upstream: upstream.to_owned(),
                position: back.position,
                topic: back.topic.clone(),
                error: back.error.clone(),
            },
        }
    }

    /// Reports the delay of an edge, which follows `former`. Several instances of a follower get in
    /// each other's way all the time, so that is no warning.
    pub(super) fn trace(&self, former: Option<&Self>, (follower, upstream): (&str, &str)) {
        match &self.cause {
            Cause::Failures {
                last,
                attempts,
                is_contention: true,
            } => {
                tracing::debug!(follower, upstream, error = %last, attempts, "a batch runs again");
            }
            Cause::Failures { last, attempts, .. } => {
                tracing::warn!(follower, upstream, error = %last, attempts, "a batch runs again");
            }
            Cause::Newer(event) => {
                let position = event.position;
                let before = former.and_then(Self::newer_event);
                if before.is_none_or(|before| before.position != position) {
                    tracing::warn!(follower, upstream, position, topic = event.topic, error = %event,
                        "a follower waits for a newer program");
                }
            }
            Cause::Rule { failure, attempts } => {
                tracing::warn!(follower, upstream, error = %failure, attempts,
                    "a follower tries an event again");
            }
            Cause::SteppedBack(SteppedBack {
                position,
                topic,
                error,
            }) => {
                let before = former.is_some_and(|former| former.has_stepped_back_for(topic));
                if !before {
                    tracing::warn!(follower, upstream, position, topic, %error,
                        "a follower waits for a newer program");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use es_store::StoreError;

    use super::*;
    use crate::follower::failure::Failure;

    /// Returns the pauses of so many failures in a row, and the first of them that is reported.
    fn failures(count: usize, error: &Error) -> (Vec<Duration>, Option<usize>) {
        let (mut delay, mut pauses, mut reported): (Option<Delay>, _, _) = (None, Vec::new(), None);
        for nth in 1..=count {
            let now = Instant::now();
            let Failure::Retry { error, pause } = error.clone().into() else {
                panic!("{error} is not retried")
            };
            let next = Delay::retry(delay.as_ref(), error, pause, now);
            pauses.push(next.at() - now);
            if next.misconfigured().is_some() {
                reported.get_or_insert(nth);
            }
            delay = Some(next);
        }
        (pauses, reported)
    }

    fn millis(times: [u64; 12]) -> Vec<Duration> {
        times.map(Duration::from_millis).to_vec()
    }

    #[test]
    fn a_wrong_configuration_is_tried_up_to_every_ten_seconds_and_told_from_the_third_time_on() {
        let missing = StoreError::Configuration("no table".to_owned());
        let (pauses, reported) = failures(12, &Error::store("Shop", missing));
        let expected = [
            10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_000, 10_000,
        ];
        assert_eq!(pauses, millis(expected));
        assert_eq!(reported, Some(3));
    }

    #[test]
    fn a_store_that_is_away_is_tried_every_second_and_is_no_wrong_configuration() {
        let away = StoreError::driver("shop.sqlite", "reading", "nobody is there");
        let (pauses, reported) = failures(12, &Error::store("Shop", away));
        let expected = [
            10, 20, 40, 80, 160, 320, 640, 1_000, 1_000, 1_000, 1_000, 1_000,
        ];
        assert_eq!(pauses, millis(expected));
        assert_eq!(reported, None);
    }
}
