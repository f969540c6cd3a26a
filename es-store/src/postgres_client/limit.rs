//! The limit of the time that the server may take.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

/// The time that something may take, and the setting that says so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) time: Duration,
    pub(crate) key: &'static str,
}

impl Limit {
    /// The limit of something that begins now; `None` if the time is longer than a clock can tell.
    pub(super) fn deadline(self) -> Option<Deadline> {
        let at = Instant::now().checked_add(self.time)?;
        Some(Deadline { at, limit: self })
    }
}

/// The moment at which a limit is reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    pub(super) at: Instant,
    limit: Limit,
}

impl Deadline {
    /// The time that is left, and never none at all, which some calls of the system take for no
    /// limit.
    pub(super) fn remaining(&self) -> Duration {
        let left = self.at.saturating_duration_since(Instant::now());
        left.max(Duration::from_millis(1))
    }

    /// The deadline of the first of `parts` that follow each other, when each may take as long as
    /// the others.
    pub(super) fn share(self, parts: usize) -> Self {
        let parts = u32::try_from(parts).unwrap_or(u32::MAX).max(1);
        let now = Instant::now();
        let time = self.at.saturating_duration_since(now) / parts;
        Self {
            at: now + time,
            limit: Limit { time, ..self.limit },
        }
    }

    /// The error of what has taken too long.
    pub(super) fn exceeded(&self) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, Exceeded(self.limit))
    }
}

#[derive(Debug)]
struct Exceeded(Limit);

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Limit { time, key } = self.0;
        let seconds = time.as_secs_f64();
        write!(f, "the server gave no answer within {seconds:.1} s ({key})")
    }
}

impl std::error::Error for Exceeded {}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn limit(time: Duration) -> Limit {
        Limit { time, key: "KEY" }
    }

    #[test]
    fn a_share_is_a_part_of_what_remains() {
        let whole = limit(MINUTE).deadline().expect("a deadline");
        let half = whole.share(2);
        assert!(half.remaining() <= MINUTE / 2);
        assert!(half.remaining() > MINUTE / 3);
        assert!(whole.share(0).at <= whole.at);
    }

    #[test]
    fn a_limit_beyond_the_clock_is_none() {
        assert!(limit(Duration::MAX).deadline().is_none());
    }

    #[test]
    fn the_error_names_time_and_setting() {
        let error = limit(MINUTE).deadline().expect("a deadline").exceeded();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(
            error.to_string(),
            "the server gave no answer within 60.0 s (KEY)"
        );
    }
}
