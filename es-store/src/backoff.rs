//! Pauses between attempts.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// A pause that doubles with each failure in a row, from the shortest to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    shortest: Duration,
    longest: Duration,
}

impl Backoff {
    /// Creates a backoff with the shortest and the longest pause.
    pub const fn new(shortest: Duration, longest: Duration) -> Self {
        Self { shortest, longest }
    }

    /// Returns the shortest pause.
    pub const fn shortest(&self) -> Duration {
        self.shortest
    }

    /// Returns the longest pause.
    pub const fn longest(&self) -> Duration {
        self.longest
    }

    /// Returns the pause after this number of failures in a row; zero after none.
    pub fn pause(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(1) else {
            return Duration::ZERO;
        };
        let factor = 2_u32.saturating_pow(doublings);
        self.shortest.saturating_mul(factor).min(self.longest)
    }
}

/// Returns a random time between `least` and `most` times `pause`. Randomness keeps clients that
/// collided once from colliding again.
///
/// The factors 0.75 and 1.25, for example, give a pause that is up to a quarter shorter or longer.
pub fn jitter(pause: Duration, least: f64, most: f64) -> Duration {
    let random = RandomState::new().hash_one(0) % 1_000;
    pause.mul_f64(least + (most - least) * random as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));
        let pauses = [0, 1, 2, 3, 7, 8, 9, u32::MAX].map(|failures| backoff.pause(failures));
        let expected = [0, 10, 20, 40, 640, 1_000, 1_000, 1_000].map(Duration::from_millis);
        assert_eq!(pauses, expected);
    }

    #[test]
    fn a_random_pause_lies_between_its_bounds() {
        let pause = Duration::from_secs(1);
        for _ in 0..100 {
            let jittered = jitter(pause, 0.75, 1.25);
            assert!(jittered >= Duration::from_millis(750), "{jittered:?}");
            assert!(jittered <= Duration::from_millis(1_250), "{jittered:?}");
        }
    }
}
