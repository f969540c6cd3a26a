//! The limit of the time for an answer of the server.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

/// A limit of time, and the key of its setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) time: Duration,
    pub(crate) key: &'static str,
}

impl Limit {
    /// Returns the deadline of something that begins now; `None` if it is beyond the range of the
    /// clock.
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
    /// Returns the remaining time, which is at least a millisecond, because some system calls take
    /// zero as no limit.
    pub(super) fn remaining(&self) -> Duration {
        let left = self.at.saturating_duration_since(Instant::now());
        left.max(Duration::from_millis(1))
    }

    /// Returns the deadline of the first of `parts` equal parts of the remaining time.
    pub(super) fn share(self, parts: usize) -> Self {
        let parts = u32::try_from(parts).unwrap_or(u32::MAX).max(1);
        let now = Instant::now();
        let time = self.at.saturating_duration_since(now) / parts;
        Self {
            at: now + time,
            limit: Limit { time, ..self.limit },
        }
    }

    /// Returns the error of an exceeded deadline.
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
