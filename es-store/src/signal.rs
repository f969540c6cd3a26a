//! Wake-ups within a process.
//!
//! Concurrency: a [`Signal`] counts its rings under a mutex, and a waiting thread passes the count
//! that it has seen. So a ring between looking and waiting is never lost, and no thread waits for a
//! ring that came already. [`Signals`] holds its list of signals weakly. The list is locked only to
//! copy or change it, never while ringing, so a listener may come and go during a ring.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::sync::lock;

/// A counter that threads can wait on.
#[derive(Debug, Default)]
pub struct Signal {
    rings: Mutex<u64>,
    rang: Condvar,
}

impl Signal {
    /// Creates a signal that has not been rung.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Wakes all waiting threads.
    pub fn ring(&self) {
        *self.lock() += 1;
        self.rang.notify_all();
    }

    /// Returns the number of rings so far.
    pub fn rings(&self) -> u64 {
        *self.lock()
    }

    /// Waits until there were more rings than `seen`, or until `timeout` is over. Returns the
    /// number of rings.
    pub fn wait(&self, seen: u64, timeout: Duration) -> u64 {
        let deadline = Instant::now().checked_add(timeout);
        let mut rings = self.lock();
        while *rings == seen {
            let left = match deadline {
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
                None => timeout,
            };
            if left.is_zero() {
                break;
            }
            let waited = self.rang.wait_timeout(rings, left);
            rings = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *rings
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        lock(&self.rings)
    }
}

/// The list of signals that a recorder rings.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    listeners: Arc<Mutex<Vec<Weak<Signal>>>>,
}

impl Signals {
    /// Adds `signal` to the list until the [`Listening`] is dropped.
    pub fn listen(&self, signal: &Arc<Signal>) -> Listening {
        self.lock().push(Arc::downgrade(signal));
        let (signals, signal) = (self.clone(), Arc::downgrade(signal));
        Listening::new(move || signals.lock().retain(|other| !other.ptr_eq(&signal)))
    }

    /// Rings all signals in the list.
    pub fn ring(&self) {
        let listeners: Vec<_> = self.lock().iter().filter_map(Weak::upgrade).collect();
        listeners.iter().for_each(|signal| signal.ring());
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Signal>>> {
        lock(&self.listeners)
    }
}

/// A registration of a listener, which ends when it is dropped.
pub struct Listening {
    end: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Listening {
    /// Creates a registration that runs `end` when it is dropped.
    pub fn new(end: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self {
            end: Some(Box::new(end)),
        }
    }

    /// Combines two registrations into one.
    #[must_use]
    pub fn and(self, other: Listening) -> Self {
        Self::new(move || drop((self, other)))
    }
}

impl std::fmt::Debug for Listening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listening")
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_before_the_wait_is_not_lost() {
        let signal = Signal::new();
        let seen = signal.rings();
        signal.ring();
        assert_eq!(signal.wait(seen, Duration::from_secs(60)), seen + 1);
    }

    #[test]
    fn a_wait_without_a_ring_ends_with_its_timeout() {
        let signal = Signal::new();
        assert_eq!(signal.wait(0, Duration::from_millis(1)), 0);
    }

    #[test]
    fn a_waiting_thread_is_woken() {
        let signal = Signal::new();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| signal.wait(0, Duration::from_secs(60)));
            signal.ring();
            assert_eq!(waiting.join().expect("no panic"), 1);
        });
    }

    #[test]
    fn a_dropped_listening_rings_no_more() {
        let (signals, signal) = (Signals::default(), Signal::new());
        let listening = signals.listen(&signal);
        signals.ring();
        drop(listening);
        signals.ring();
        assert_eq!(signal.rings(), 1);
        assert!(signals.lock().is_empty());
    }
}
