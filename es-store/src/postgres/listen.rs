//! Notifications of commits on other connections.
//!
//! The thread of the [watcher](crate::watcher) has a connection of its own that is never in a
//! transaction. It executes LISTEN before the first listener's `listen` returns, so every commit
//! after that is announced. A lost connection is opened again, with growing pauses. Commits in
//! between were not announced, so all signals are rung afterwards.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

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

/// The function that opens a connection and executes LISTEN. With `true` it waits while the server
/// has no connection left.
pub(super) type Connect = Arc<dyn Fn(bool) -> Result<Client, StoreError> + Send + Sync>;

/// The signals that are rung after commits on other connections, while anyone listens.
pub(super) struct Listeners {
    signals: Signals,
    connect: Connect,
    watcher: Watcher,
}

impl Listeners {
    pub(super) fn new(signals: Signals, connect: Connect) -> Self {
        Self {
            signals,
            connect,
            watcher: Watcher::default(),
        }
    }

    /// Listens until the returned value is dropped.
    pub(super) fn join(&self, label: &PostgresLabel) -> Result<Listening, StoreError> {
        self.watcher.join(|stop| {
            let (signals, connect) = (self.signals.clone(), self.connect.clone());
            let client = connect(true)?;
            thread::Builder::new()
                .name("es-postgres-listen".to_owned())
                .spawn(move || listen(client, &connect, &signals, &stop))
                .map_err(|error| label.no_thread(error))
        })
    }
}

fn listen(mut client: Client, connect: &Connect, signals: &Signals, stop: &Signal) {
    while stop.rings() == 0 {
        match is_announced(&mut client) {
            Ok(true) => signals.ring(),
            Ok(false) if !client.is_closed() => {}
            lost => {
                let error = lost
                    .err()
                    .map(|error| error.to_string())
                    .unwrap_or_default();
                tracing::warn!(error, "listening was interrupted, and begins again");
                let Some(again) = reconnect(connect, stop) else {
                    return;
                };
                client = again;
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
fn reconnect(connect: &Connect, stop: &Signal) -> Option<Client> {
    let mut failures = 1;
    while stop.rings() == 0 {
        match connect(false) {
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
