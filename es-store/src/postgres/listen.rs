//! Notifications of commits on other connections.
//!
//! The thread of the [watcher](crate::watcher) has a connection of its own that is never in a
//! transaction. It executes LISTEN before the first listener's `listen` returns, so every commit
//! after that is announced. A lost connection is opened again, with growing pauses. Commits in
//! between were not announced, so all signals are rung afterwards.
//!
//! A server, or a proxy in front of it, may keep the connection and say nothing any more. So LISTEN
//! is executed again from time to time, which changes nothing, and has to be answered.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use es_core::error_chain;
use tokio_postgres::Error;

use super::label::PostgresLabel;
use crate::backoff::Backoff;
use crate::error::StoreError;
use crate::postgres_client::Client;
use crate::signal::{Listening, Signal, Signals};
use crate::watcher::Watcher;

/// The time to wait for a notification before checking for a stop.
const EVERY: Duration = Duration::from_millis(50);

/// The pause between attempts to connect, at first and at most.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));

/// The way to a connection that listens.
pub(super) struct ListeningConnection {
    /// Opens a connection. With `true` it waits while the server has no connection left.
    pub(super) connect: Box<dyn Fn(bool) -> Result<Client, StoreError> + Send + Sync>,
    /// The statement LISTEN.
    pub(super) listen: String,
    /// The time after which the connection is checked; `None` is never.
    pub(super) check_after: Option<Duration>,
    pub(super) label: PostgresLabel,
}

impl ListeningConnection {
    /// Opens a connection and executes LISTEN. With `is_patient` it waits while the server has no
    /// connection left.
    fn open(&self, is_patient: bool) -> Result<Client, StoreError> {
        let mut client = (self.connect)(is_patient)?;
        client
            .batch_execute(&self.listen)
            .map_err(|error| self.label.failed("listening", error))?;
        Ok(client)
    }
}

/// The signals that are rung after commits on other connections, while anyone listens.
pub(super) struct Listeners {
    signals: Signals,
    connection: Arc<ListeningConnection>,
    watcher: Watcher,
}

impl Listeners {
    pub(super) fn new(signals: Signals, connection: Arc<ListeningConnection>) -> Self {
        Self {
            signals,
            connection,
            watcher: Watcher::default(),
        }
    }

    /// Listens until the returned value is dropped.
    pub(super) fn join(&self, label: &PostgresLabel) -> Result<Listening, StoreError> {
        self.watcher.join(|stop| {
            let (signals, connection) = (self.signals.clone(), self.connection.clone());
            let client = connection.open(true)?;
            thread::Builder::new()
                .name("es-postgres-listen".to_owned())
                .spawn(move || listen(client, &connection, &signals, &stop))
                .map_err(|error| label.no_thread(error))
        })
    }
}

fn listen(mut client: Client, connection: &ListeningConnection, signals: &Signals, stop: &Signal) {
    let mut heard = Instant::now();
    while stop.rings() == 0 {
        let is_due = |after: Duration| heard.elapsed() >= after;
        let is_announced = if connection.check_after.is_some_and(is_due) {
            heard = Instant::now();
            // What was announced meanwhile is found by the next look.
            client.batch_execute(&connection.listen).map(|()| false)
        } else {
            is_announced(&mut client)
        };
        match is_announced {
            Ok(true) => {
                heard = Instant::now();
                signals.ring();
            }
            Ok(false) if !client.is_closed() => {}
            lost => {
                let error = lost
                    .err()
                    .map(|error| error.to_string())
                    .unwrap_or_default();
                tracing::warn!(error, "listening was interrupted, and begins again");
                let Some(again) = reconnect(connection, stop) else {
                    return;
                };
                client = again;
                heard = Instant::now();
                signals.ring();
            }
        }
    }
}

/// Returns true if there was a notification. All received notifications are consumed.
fn is_announced(client: &mut Client) -> Result<bool, Error> {
    let is_announced = client.next_notification(EVERY)?.is_some();
    while client.next_notification(Duration::ZERO)?.is_some() {}
    Ok(is_announced)
}

/// Returns a new connection, or `None` when it is time to stop.
fn reconnect(connection: &ListeningConnection, stop: &Signal) -> Option<Client> {
    let mut failures = 1;
    while stop.rings() == 0 {
        match connection.open(false) {
            Ok(client) => return Some(client),
            Err(error) => {
                let error = error_chain(&error);
                tracing::debug!(%error, "listening cannot begin again yet");
            }
        }
        stop.wait(0, PAUSES.pause(failures));
        failures = failures.saturating_add(1);
    }
    None
}
