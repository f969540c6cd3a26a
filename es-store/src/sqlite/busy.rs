//! The way in which connections wait for each other's locks.
//!
//! SQLite's own handler sleeps longer after each attempt. So next to a process that commits back to
//! back, another one hardly ever finds the database unlocked. This handler tries once a
//! millisecond. A writer that has worked for a while without a pause rests, so that all waiting
//! connections can try.

use std::thread;
use std::time::{Duration, Instant};

use rusqlite::ErrorCode;

const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(1);

/// Returns a busy handler that tries again each millisecond, until `limit`.
pub(super) fn handler(limit: Duration) -> impl FnMut(i32) -> bool + Send + 'static {
    let mut since = Instant::now();
    move |attempt| {
        if attempt == 0 {
            since = Instant::now();
        }
        let again = since.elapsed() < limit;
        if again {
            thread::sleep(BETWEEN_ATTEMPTS);
        }
        again
    }
}

/// Retries the few statements that ignore the busy handler.
pub(super) fn retry<T>(
    limit: Duration,
    mut attempt: impl FnMut() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let since = Instant::now();
    loop {
        match attempt() {
            Err(error) if is_busy(&error) && since.elapsed() < limit => {
                thread::sleep(BETWEEN_ATTEMPTS)
            }
            done => return done,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// Makes a writer that works without a pause rest now and then.
#[derive(Debug)]
pub(super) struct Pace {
    /// The longest time of work without a pause.
    work: Duration,
    /// The length of a pause.
    rest: Duration,
    /// The start of the work without a pause.
    since: Instant,
    /// The end of the last work.
    until: Instant,
}

impl Pace {
    /// Creates a pace that rests for `rest` once a second. The default is 2 ms every 50 ms.
    pub(super) fn new(rest: Option<Duration>) -> Self {
        let now = Instant::now();
        let (work, rest) = match rest {
            Some(rest) => (Duration::from_secs(1), rest),
            None => (Duration::from_millis(50), Duration::from_millis(2)),
        };
        Self {
            work,
            rest,
            since: now,
            until: now,
        }
    }

    /// Rests if it is time to. Called before each transaction.
    pub(super) fn begin(&mut self) {
        if let Some(rest) = self.due(Instant::now()) {
            thread::sleep(rest);
            self.since = Instant::now();
        }
    }

    /// Records the end of the work. Called after each transaction.
    pub(super) fn end(&mut self) {
        self.until = Instant::now();
    }

    fn due(&mut self, now: Instant) -> Option<Duration> {
        if now.saturating_duration_since(self.until) >= self.rest {
            self.since = now;
        }
        (now.saturating_duration_since(self.since) >= self.work).then_some(self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_rests_only_after_it_worked_without_a_pause() {
        let mut pace = Pace::new(None);
        let start = pace.since;
        let at = |millis| start + Duration::from_millis(millis);
        pace.until = at(49);
        assert_eq!(pace.due(at(49)), None);
        pace.until = at(50);
        assert_eq!(pace.due(at(51)), Some(Duration::from_millis(2)));
        pace.until = at(51);
        assert_eq!(pace.due(at(60)), None, "it has paused by itself");
    }

    #[test]
    fn a_writer_that_shares_its_file_with_slow_sleepers_rests_longer_once_a_second() {
        let rest = Duration::from_millis(110);
        let mut pace = Pace::new(Some(rest));
        let at = |millis| pace.since + Duration::from_millis(millis);
        let (almost, then) = (at(999), at(1000));
        pace.until = almost;
        assert_eq!(pace.due(almost), None);
        assert_eq!(pace.due(then), Some(rest));
    }

    #[test]
    fn attempts_end_with_the_limit() {
        let mut again = handler(Duration::ZERO);
        assert!(!again(0));
        let mut again = handler(Duration::from_secs(60));
        assert!(again(0) && again(1));
    }
}
