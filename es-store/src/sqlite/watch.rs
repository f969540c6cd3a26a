//! Noticing the commits of other connections.
//!
//! Concurrency: there is one thread while anyone listens. Who joins first starts it, who leaves last stops it and waits
//! for its end, both under the lock of the state only for the bookkeeping; so at most one runs at a time that was not
//! told to stop. The version of the data is read before the first listener's `listen` returns, so every commit after
//! that is noticed. The thread rings signals and runs no user's code; should it drop the last listening all the
//! same, it does not wait for itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use super::label::Label;
use crate::{Listening, Signal, Signals, StoreError};

/// How often to look. One look takes some microseconds.
const EVERY: Duration = Duration::from_millis(20);

/// Rings signals after commits of other connections, while anyone listens.
#[derive(Clone)]
pub(super) struct Watch {
    signals: Signals,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    listeners: usize,
    watcher: Option<Watcher>,
}

struct Watcher {
    stop: Arc<Signal>,
    thread: JoinHandle<()>,
}

impl Watch {
    pub(super) fn new(signals: Signals) -> Self {
        Self {
            signals,
            state: Arc::default(),
        }
    }

    /// Watches until what is returned is dropped.
    pub(super) fn join(
        &self,
        connect: impl FnOnce() -> Result<Connection, StoreError>,
        label: &Label,
    ) -> Result<Listening, StoreError> {
        let mut state = self.lock();
        if state.watcher.is_none() {
            state.watcher = Some(Watcher::start(connect()?, self.signals.clone(), label)?);
        }
        state.listeners += 1;
        let watch = self.clone();
        Ok(Listening::new(move || watch.leave()))
    }

    fn leave(&self) {
        let mut state = self.lock();
        state.listeners -= 1;
        let last = if state.listeners == 0 {
            state.watcher.take()
        } else {
            None
        };
        drop(state);
        if let Some(watcher) = last {
            watcher.stop();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    fn start(connection: Connection, signals: Signals, label: &Label) -> Result<Self, StoreError> {
        let seen = data_version(&connection).map_err(|error| label.failed("listening", error))?;
        let stop = Signal::new();
        let told = stop.clone();
        let thread = thread::Builder::new()
            .name("es-sqlite-watch".to_owned())
            .spawn(move || watch(&connection, seen, &signals, &told))
            .map_err(|error| label.no_thread(error))?;
        Ok(Self { stop, thread })
    }

    fn stop(self) {
        self.stop.ring();
        if self.thread.thread().id() != thread::current().id() {
            // It does not panic; had it, there would be nothing more to do.
            let _ended = self.thread.join();
        }
    }
}

fn watch(connection: &Connection, mut seen: i64, signals: &Signals, stop: &Signal) {
    while stop.wait(0, EVERY) == 0 {
        match data_version(connection) {
            Ok(version) if version == seen => {}
            Ok(version) => {
                seen = version;
                signals.ring();
            }
            // Whoever listens polls too, so a look that fails loses nothing.
            Err(error) => {
                tracing::debug!(%error, "looking for commits of other connections failed")
            }
        }
    }
}

fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(watch: &Watch) -> Listening {
        let connect = || Ok(Connection::open_in_memory().expect("a connection"));
        watch
            .join(connect, &Label::new("tested", Duration::ZERO))
            .expect("listening")
    }

    fn is_watching(watch: &Watch) -> bool {
        watch
            .lock()
            .watcher
            .as_ref()
            .is_some_and(|watcher| !watcher.thread.is_finished())
    }

    #[test]
    fn one_thread_watches_while_anyone_listens() {
        let watch = Watch::new(Signals::default());
        for _ in 0..10 {
            let (first, second) = (join(&watch), join(&watch));
            let thread = watch
                .lock()
                .watcher
                .as_ref()
                .map(|watcher| watcher.thread.thread().id());
            drop(first);
            assert!(is_watching(&watch));
            assert_eq!(
                watch
                    .lock()
                    .watcher
                    .as_ref()
                    .map(|watcher| watcher.thread.thread().id()),
                thread
            );
            drop(second);
            assert!(!is_watching(&watch));
        }
    }

    #[test]
    fn a_watcher_that_stops_itself_does_not_wait_for_itself() {
        let (sender, receiver) = std::sync::mpsc::channel::<Watcher>();
        let (ended, ends) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            receiver.recv().expect("itself").stop();
            ended.send(()).expect("heard");
        });
        sender
            .send(Watcher {
                stop: Signal::new(),
                thread,
            })
            .expect("received");
        assert_eq!(ends.recv_timeout(Duration::from_secs(60)), Ok(()));
    }
}
