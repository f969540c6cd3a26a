//! A thread that notices the commits of other processes while there are listeners.
//!
//! Concurrency: the first listener starts the thread; the last one stops and joins it. Starting the
//! thread, and taking it out to be stopped, are under one lock, so at most one thread runs that was
//! not told to stop. Joining the thread is not under the lock, so a new listener does not wait for
//! it. The function that starts the thread must return only once the thread will notice commits;
//! then every commit after `join` has returned is noticed. The thread runs no user's code. If it
//! drops the last registration itself, it does not join itself.

use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use crate::error::StoreError;
use crate::signal::{Listening, Signal};
use crate::sync::lock;

/// Keeps a thread running while there are listeners.
#[derive(Clone, Default)]
pub(crate) struct Watcher {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    listeners: usize,
    watch: Option<Watch>,
}

struct Watch {
    stop: Arc<Signal>,
    thread: JoinHandle<()>,
}

impl Watcher {
    /// Keeps the thread running until the returned registration is dropped. `start` starts it for
    /// the first listener; the thread must end when the signal is rung.
    pub(crate) fn join(
        &self,
        start: impl FnOnce(Arc<Signal>) -> Result<JoinHandle<()>, StoreError>,
    ) -> Result<Listening, StoreError> {
        let mut state = self.lock();
        if state.watch.is_none() {
            let stop = Signal::new();
            let thread = start(stop.clone())?;
            state.watch = Some(Watch { stop, thread });
        }
        state.listeners += 1;
        let watcher = self.clone();
        Ok(Listening::new(move || watcher.leave()))
    }

    fn leave(&self) {
        let mut state = self.lock();
        state.listeners -= 1;
        let last = if state.listeners == 0 {
            state.watch.take()
        } else {
            None
        };
        drop(state);
        if let Some(watch) = last {
            watch.end();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Watch {
    fn end(self) {
        self.stop.ring();
        if self.thread.thread().id() != thread::current().id() {
            // The thread does not panic. If it did, nothing would be left to do here.
            let _ended = self.thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn join(watcher: &Watcher) -> Listening {
        let wait = |stop: Arc<Signal>| {
            stop.wait(0, LONG);
        };
        let start = |stop| Ok(thread::spawn(move || wait(stop)));
        watcher.join(start).expect("listening")
    }

    /// Returns the id of the running thread, if there is one.
    fn running(watcher: &Watcher) -> Option<thread::ThreadId> {
        let state = watcher.lock();
        let watch = state
            .watch
            .as_ref()
            .filter(|watch| !watch.thread.is_finished());
        watch.map(|watch| watch.thread.thread().id())
    }

    #[test]
    fn one_thread_runs_while_anyone_listens() {
        let watcher = Watcher::default();
        for _ in 0..10 {
            let (first, second) = (join(&watcher), join(&watcher));
            let thread = running(&watcher);
            assert!(thread.is_some());
            drop(first);
            assert_eq!(running(&watcher), thread);
            drop(second);
            assert_eq!(running(&watcher), None);
        }
    }

    #[test]
    fn a_thread_that_could_not_be_started_is_started_by_the_next_who_joins() {
        let watcher = Watcher::default();
        let closed = || StoreError::Closed {
            store: "tested".to_owned(),
        };
        assert!(watcher.join(|_| Err(closed())).is_err());
        let _listening = join(&watcher);
        assert!(running(&watcher).is_some());
    }

    #[test]
    fn a_thread_that_stops_itself_does_not_wait_for_itself() {
        let (sender, receiver) = std::sync::mpsc::channel::<Watch>();
        let (ended, ends) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            receiver.recv().expect("itself").end();
            ended.send(()).expect("heard");
        });
        let itself = Watch {
            stop: Signal::new(),
            thread,
        };
        sender.send(itself).expect("received");
        assert_eq!(ends.recv_timeout(LONG), Ok(()));
    }
}
