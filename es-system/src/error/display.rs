//! The texts of errors.

use std::fmt;

use es_core::error_chain;
use es_store::{Conflict, DecisionKind, StoreError};

use crate::error::{Doubt, Error};

/// The text of the error, as `main` shows it when it returns one.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(application) = self.application() {
            write!(f, "{application}: ")?;
        }
        match self {
            Self::AggregateNotFound {
                aggregate,
                id,
                version,
                ..
            } => {
                write!(f, "no `{aggregate}` {id}")?;
                version.map_or(Ok(()), |version| write!(f, " at version {version}"))
            }
            Self::Conflict {
                conflict, attempts, ..
            } => f.write_str(&conflicting(conflict, *attempts)),
            Self::OutcomeUnknown {
                problem,
                doubt,
                attempts,
                ..
            } => {
                let then = what_settles(problem, doubt.as_ref());
                let problem = error_chain(&**problem);
                write!(f, "{problem}{}; {then}", tried(*attempts))
            }
            Self::BadData { problem, .. } => error_chain(&**problem).fmt(f),
            Self::Store {
                problem, attempts, ..
            } => write!(f, "{}{}", error_chain(&**problem), tried(*attempts)),
            Self::Statement { problem, .. } => error_chain(&**problem).fmt(f),
            Self::Configuration { problem, .. } | Self::Usage(problem) => f.write_str(problem),
            of_a_follower => of_a_follower.describe_follower(f),
        }
    }
}

impl Error {
    /// Writes the text of an error of a follower or a runner.
    fn describe_follower(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LogChanged {
                upstream, problem, ..
            } => write!(
                f,
                "the log of `{upstream}` is not the one that was followed: {problem}"
            ),
            Self::Policy(failure) => write!(f, "{failure}"),
            Self::SetAside {
                upstream,
                position,
                decision,
                problem,
                ..
            } => {
                let state = decision.map_or("set aside", DecisionKind::text);
                let at = format!("the event at position {position} of `{upstream}`");
                write!(f, "{at} was {state}: {problem}")
            }
            Self::RetryLater(later) => write!(f, "{later}"),
            Self::NotIdle(lags) => write!(f, "{lags}"),
            Self::StillRunning {
                follower,
                limit,
                in_hand,
            } => {
                let reason = hold_up(in_hand);
                write!(f, "`{follower}` did not stop within {limit:?}: {reason}")
            }
            Self::EndlessCycle {
                applications,
                events,
            } => f.write_str(&without_end(applications, *events)),
            Self::Defect { message, .. } => {
                write!(f, "this library panicked, please report it: {message}")
            }
            // The others are described by the caller.
            _ => Ok(()),
        }
    }
}

fn without_end(applications: &[String], events: u64) -> String {
    let names = applications.join("`, `");
    let answer = match applications {
        [_] => "follows itself and answers itself",
        _ => "follow and answer each other",
    };
    format!(
        "`{names}` {answer} without end: {events} events were processed for one call, and there are more; the next \
         call goes on (CYCLE_EVENTS_MAX)"
    )
}

fn tried(attempts: u32) -> String {
    match attempts {
        0 | 1 => String::new(),
        _ => format!(" (tried {attempts} times)"),
    }
}

fn what_settles(problem: &StoreError, doubt: Option<&Doubt>) -> &'static str {
    match (problem, doubt) {
        (_, None) => "a retry is safe",
        (StoreError::OutcomeUnknown { .. }, Some(_)) => {
            "settle the doubt of this error, or save the same aggregates again"
        }
        (_, Some(_)) => {
            "nobody can say whether an earlier attempt was recorded: settle the doubt of this error, or save the \
             same aggregates again"
        }
    }
}

fn conflicting(conflict: &Conflict, attempts: u32) -> String {
    let repair = match conflict.version {
        1 => "it was created already, so load it instead",
        _ => "load the aggregate again and retry",
    };
    format!("{conflict}{}: {repair}", tried(attempts))
}

fn hold_up(in_hand: &Option<(String, u64)>) -> String {
    match in_hand {
        Some((upstream, position)) => {
            format!("its policy for position {position} of `{upstream}` has not returned")
        }
        None => "it waits for a store, and not for a policy".to_owned(),
    }
}
