//! The rules for events whose policy fails.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use es_store::backoff::Backoff;

/// The rule for an event whose policy fails.
///
/// Its text is the one in which it is written in an attribute and in the environment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnError {
    /// The follower stops in front of the event.
    #[default]
    Stop,
    /// The event is set aside, and the follower goes on behind it.
    SetAside,
    /// The policy is tried again.
    Retry(Retry),
}

/// A number of further attempts at an event, with a pause in front of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// The number of attempts after the first one. It is at least 1.
    pub times: u32,
    /// The pauses. The shortest is at least 1 ms, the longest at most a day.
    pub backoff: Backoff,
    /// The rule after the last attempt. With [`Then::SetAside`] the event is set aside while it is
    /// tried again, too.
    pub then: Then,
}

/// The rule for an event all of whose attempts have failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Then {
    /// The follower stops in front of the event.
    #[default]
    Stop,
    /// The event stays set aside until an operator decides about it.
    SetAside,
}

/// The longest pause between two attempts. A longer one would be of no use.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

impl OnError {
    /// Returns true if an event may be set aside because of the rule.
    pub(crate) fn can_set_aside(self) -> bool {
        match self {
            Self::Stop => false,
            Self::SetAside => true,
            Self::Retry(retry) => retry.then == Then::SetAside,
        }
    }

    /// Reads a rule from its text. The error describes the expected text, to stand behind "which is
    /// not".
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        parse::rule(text)
    }
}

impl Retry {
    /// Five attempts, with pauses from 100 ms to 60 s, after which the follower stops.
    pub const DEFAULT: Self = Self {
        times: 5,
        backoff: backoff(100, 60_000),
        then: Then::Stop,
    };
}

/// Creates the pauses of a rule, from the shortest to the longest, in milliseconds.
pub const fn backoff(shortest: u64, longest: u64) -> Backoff {
    Backoff::new(
        Duration::from_millis(shortest),
        Duration::from_millis(longest),
    )
}

impl fmt::Display for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stop => f.write_str("stop"),
            Self::SetAside => f.write_str("set_aside"),
            Self::Retry(retry) => retry.fmt(f),
        }
    }
}

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            times,
            backoff,
            then,
        } = self;
        let (shortest, longest) = (pause(backoff.shortest()), pause(backoff.longest()));
        write!(
            f,
            "retry(times = {times}, backoff = \"{shortest}..{longest}\", then = {then})"
        )
    }
}

impl fmt::Display for Then {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stop => "stop",
            Self::SetAside => "set_aside",
        })
    }
}

/// Returns the text of a pause, in the largest unit of which it is a whole number. A minute is 60s.
fn pause(pause: Duration) -> String {
    match pause.as_millis() {
        millis if millis % 1_000 != 0 => format!("{millis}ms"),
        millis if millis > 60_000 && millis % 60_000 == 0 => format!("{}min", millis / 60_000),
        millis => format!("{}s", millis / 1_000),
    }
}
