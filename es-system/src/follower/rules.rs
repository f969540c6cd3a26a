//! The decision what becomes of an event whose policy has failed, by the rule of the user.
//!
//! An event that is tried again in front of the others holds them up, and its attempts are known in
//! this process alone. An event that is set aside holds up its own sequence, and its attempts are
//! recorded.

use std::time::Duration;

use crate::policy::on_error::{OnError, Then};

/// The failed attempts at an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempts {
    /// The number of failures that count for the rule, with the last one.
    pub(super) failures: u32,
    /// The pause for which the policy has asked, because the world is not ready.
    pub(super) asked: Option<Duration>,
}

/// The decision about an event in front of which a follower stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The follower stops.
    Stop,
    /// The follower tries again after a pause, and holds up the events behind it.
    Wait { pause: Duration },
    /// The event is set aside.
    SetAside {
        /// The time until the next attempt; `None` if it waits for an operator.
        due_in: Option<Duration>,
    },
}

/// Decides about an event in front of which a follower stands. A policy that asks for a pause is
/// waited for under any rule.
pub(super) fn in_order(rule: OnError, attempts: Attempts) -> Verdict {
    if let Some(pause) = attempts.asked {
        return Verdict::Wait { pause };
    }
    match rule {
        OnError::Stop => Verdict::Stop,
        OnError::SetAside => Verdict::SetAside { due_in: None },
        OnError::Retry(retry) => {
            let pause = retry.backoff.pause(attempts.failures);
            match retry.then {
                Then::SetAside => Verdict::SetAside {
                    due_in: Some(pause),
                },
                Then::Stop if attempts.failures <= retry.times => Verdict::Wait { pause },
                Then::Stop => Verdict::Stop,
            }
        }
    }
}

/// Returns the time until the next attempt at an event that a rebuild sets aside at its first
/// failure, or `None` if the rule is another one. Somebody waits for the rebuild, so it does not
/// wait for a policy that asks for a pause. The event is due after that.
pub(super) fn in_rebuild(rule: OnError, asked: Option<Duration>) -> Option<Option<Duration>> {
    let attempts = Attempts {
        failures: 1,
        asked: None,
    };
    match in_order(rule, attempts) {
        Verdict::SetAside { due_in } => Some(asked.or(due_in)),
        Verdict::Stop | Verdict::Wait { .. } => None,
    }
}

/// Returns the time until the next attempt at an event that is set aside, or `None` if it waits for
/// an operator.
///
/// The record has one number of attempts, which all programs share. Those after which the policy
/// has asked for a pause are among them: they always lead to another attempt, and a failure after
/// them counts them too. So in doubt an operator decides, who sees the row.
pub(super) fn set_aside(rule: OnError, attempts: Attempts) -> Option<Duration> {
    match rule {
        _ if attempts.asked.is_some() => attempts.asked,
        OnError::Retry(retry) if attempts.failures <= retry.times => {
            Some(retry.backoff.pause(attempts.failures))
        }
        OnError::Stop | OnError::SetAside | OnError::Retry(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::on_error::{Retry, backoff};

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn retry(times: u32, then: Then) -> OnError {
        OnError::Retry(Retry {
            times,
            backoff: backoff(100, 300),
            then,
        })
    }

    fn failures(failures: u32) -> Attempts {
        let asked = None;
        Attempts { failures, asked }
    }

    #[test]
    fn a_follower_that_retries_and_then_stops_waits_in_front_of_the_event() {
        let rule = retry(3, Then::Stop);
        let verdicts = [1, 2, 3, 4].map(|nth| in_order(rule, failures(nth)));
        let wait = |pause| Verdict::Wait {
            pause: millis(pause),
        };
        assert_eq!(verdicts, [wait(100), wait(200), wait(300), Verdict::Stop]);
    }

    #[test]
    fn an_event_is_set_aside_at_its_first_failure() {
        let at_once = in_order(OnError::SetAside, failures(1));
        assert_eq!(at_once, Verdict::SetAside { due_in: None });
        let due = in_order(retry(3, Then::SetAside), failures(1));
        let due_in = Some(millis(100));
        assert_eq!(due, Verdict::SetAside { due_in });
    }

    #[test]
    fn an_event_that_is_set_aside_is_due_as_often_as_the_rule_tells() {
        for then in [Then::Stop, Then::SetAside] {
            let pauses = [1, 2, 3, 4, u32::MAX].map(|nth| set_aside(retry(3, then), failures(nth)));
            let due = |pause| Some(millis(pause));
            assert_eq!(pauses, [due(100), due(200), due(300), None, None]);
        }
        for rule in [OnError::Stop, OnError::SetAside] {
            assert_eq!(set_aside(rule, failures(1)), None);
        }
    }

    #[test]
    fn a_policy_that_asks_for_a_pause_is_waited_for_under_any_rule() {
        let pause = millis(7_000);
        let asked = Attempts {
            failures: 9,
            asked: Some(pause),
        };
        for rule in [
            OnError::Stop,
            OnError::SetAside,
            retry(3, Then::Stop),
            retry(3, Then::SetAside),
        ] {
            assert_eq!(in_order(rule, asked), Verdict::Wait { pause });
            assert_eq!(set_aside(rule, asked), Some(pause));
        }
    }

    #[test]
    fn what_a_rebuild_sets_aside_is_due_after_the_pause_for_which_its_policy_asks() {
        let asked = Some(millis(7_000));
        for rule in [OnError::SetAside, retry(3, Then::SetAside)] {
            assert_eq!(in_rebuild(rule, asked), Some(asked));
        }
        assert_eq!(in_rebuild(OnError::SetAside, None), Some(None));
        let due = in_rebuild(retry(3, Then::SetAside), None);
        assert_eq!(due, Some(Some(millis(100))));
        for rule in [OnError::Stop, retry(3, Then::Stop)] {
            assert_eq!(in_rebuild(rule, asked), None);
        }
    }

    #[test]
    fn the_default_is_to_stop() {
        assert_eq!(in_order(OnError::default(), failures(1)), Verdict::Stop);
    }
}
