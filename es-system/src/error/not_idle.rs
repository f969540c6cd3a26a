//! The error of a system that does not become idle in time.

use std::fmt;
use std::time::Duration;

/// A system did not become idle in time. The error lists the edges that lag, and the failures that
/// delay them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotIdle {
    /// The time for which the call waited.
    pub waited: Duration,
    /// The edges that lag, in the order of definition.
    pub lags: Vec<Lag>,
}

/// An edge of a system whose follower has not processed every event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lag {
    /// The application that is followed.
    pub upstream: String,
    /// The application that follows.
    pub follower: String,
    /// The position up to which the follower has processed.
    pub position: u64,
    /// The last position of the upstream.
    pub head: u64,
    /// The failure after which its batch is retried, if there was one.
    pub retrying: Option<String>,
    /// The reason why this program waits for a newer one, if it does.
    pub waiting_for_newer: Option<String>,
    /// The person or program that has paused the follower, if it is paused.
    pub paused: Option<String>,
}

impl std::error::Error for NotIdle {}

impl fmt::Display for NotIdle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not idle after {:?}", self.waited)?;
        for Lag {
            upstream,
            follower,
            position,
            head,
            retrying,
            waiting_for_newer,
            paused,
        } in &self.lags
        {
            write!(
                f,
                "; `{follower}` is at {position} of {head} in `{upstream}`"
            )?;
            if let Some(error) = retrying {
                write!(f, " (retrying: {error})")?;
            }
            if let Some(event) = waiting_for_newer {
                write!(f, " (waiting for a newer program: {event})")?;
            }
            if let Some(who) = paused {
                write!(f, " (paused by {who})")?;
            }
        }
        if self.lags.is_empty() {
            f.write_str("; positions keep moving")?;
        }
        Ok(())
    }
}
