//! Repeats a command after a conflict with another writer, and sends a save again whose outcome is
//! unknown.

use std::thread;
use std::time::{Duration, Instant};

use es_store::backoff::{Backoff, jitter};

use crate::error::Error;

/// The maximum number of attempts.
const TRIES: u32 = 20;
/// The maximum number of times that one save is sent while its outcome is unknown.
const SENDS: u32 = 5;
/// The time after the first unknown outcome within which a save is sent again. A store looks for
/// the outcome by itself, for as long as it was told to, before it reports it as unknown.
const SEND_TIME: Duration = Duration::from_secs(10);
/// The longest pauses between two tries.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(2), Duration::from_millis(50));

/// The attempts of one command.
pub(crate) struct Tries {
    done: u32,
    /// The number of times that the save in hand was sent, and the time of its first unknown
    /// outcome.
    in_doubt: Option<(u32, Instant)>,
}

impl Tries {
    pub(crate) fn new() -> Self {
        Self {
            done: 1,
            in_doubt: None,
        }
    }

    /// Pauses and returns true, or returns false if there are no attempts left. The pauses grow and
    /// are partly random, so that writers that conflicted once do not conflict again.
    pub(crate) fn pause(&mut self) -> bool {
        if self.done >= TRIES {
            return false;
        }
        self.in_doubt = None;
        self.sleep();
        true
    }

    /// Pauses and returns true if a save whose outcome is unknown is to be sent again.
    pub(crate) fn pause_in_doubt(&mut self) -> bool {
        let (sent, since) = self.in_doubt.get_or_insert((1, Instant::now()));
        if *sent >= SENDS || since.elapsed() >= SEND_TIME {
            return false;
        }
        *sent += 1;
        self.sleep();
        true
    }

    fn sleep(&mut self) {
        thread::sleep(jitter(PAUSES.pause(self.done), 0.0, 1.0));
        self.done += 1;
    }

    /// Returns the error of the last attempt, with the number of attempts.
    pub(crate) fn failed(&self, error: Error) -> Error {
        error.after(self.done)
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

    #[test]
    fn a_save_in_doubt_is_sent_only_so_many_times() {
        let mut tries = Tries::new();
        let mut sent = 1;
        while tries.pause_in_doubt() {
            sent += 1;
        }
        assert_eq!(sent, SENDS);
    }
}
