//! Repeats a command after a conflict with another writer.

use std::thread;
use std::time::Duration;

use es_store::backoff::{Backoff, jitter};

/// The maximum number of attempts.
const TRIES: u32 = 20;
/// The longest pauses between two tries.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(2), Duration::from_millis(50));

/// The attempts of one command.
pub(crate) struct Tries {
    done: u32,
}

impl Tries {
    pub(crate) fn new() -> Self {
        Self { done: 1 }
    }

    /// Pauses and returns true, or returns false if there are no attempts left. The pauses grow and
    /// are partly random, so that writers that conflicted once do not conflict again.
    pub(crate) fn pause(&mut self) -> bool {
        if self.done >= TRIES {
            return false;
        }
        thread::sleep(jitter(PAUSES.pause(self.done), 0.0, 1.0));
        self.done += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_only_so_many_tries() {
        let mut tries = Tries::new();
        let mut done = 1;
        while tries.pause() {
            done += 1;
        }
        assert_eq!(done, TRIES);
    }
}
