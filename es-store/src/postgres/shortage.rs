//! Waiting for a connection while the server has none left.
//!
//! A server, a database and a role can each have a limit of connections. When it is reached, the
//! pools of this process give up their idle connections to that server, because an idle connection
//! of one application may be the one that another application needs. Then the caller waits until
//! its own pool or the server has a connection.
//!
//! Concurrency: a mutex guards the list of pools. It is held only while the list is read or
//! changed, never while a connection is closed or a pool is locked.

use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::connection::{Connection, OpenError};
use super::options::PostgresOptions;
use crate::backoff::Backoff;
use crate::error::StoreError;
use crate::sync::lock;

/// The pause between two attempts, at first and at most.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(200));

/// The idle connections of a pool.
pub(super) trait IdleConnections: Send + Sync {
    /// Closes them.
    fn close_idle(&self);
}

/// The pools of this process, each with its server.
static POOLS: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

struct Entry {
    server: String,
    pool: Weak<dyn IdleConnections>,
}

/// Adds a pool to those that give up idle connections.
pub(super) fn register(settings: &PostgresOptions, pool: &Arc<impl IdleConnections + 'static>) {
    let pool: Arc<dyn IdleConnections> = pool.clone();
    let mut pools = lock(&POOLS);
    pools.retain(|entry| entry.pool.strong_count() > 0);
    pools.push(Entry {
        server: server(settings),
        pool: Arc::downgrade(&pool),
    });
}

/// Opens a connection. While the server has none left, tries again until
/// `POSTGRES_CONNECT_TIMEOUT` is over. In between, `wait` waits that long for an idle connection of
/// the caller's own.
pub(super) fn open(
    settings: &PostgresOptions,
    open: impl Fn() -> Result<Connection, OpenError>,
    wait: impl Fn(Duration) -> Option<Connection>,
) -> Result<Connection, StoreError> {
    let since = Instant::now();
    let mut failures = 0;
    loop {
        let error = match open() {
            Err(OpenError::NoneLeft(error)) => error,
            opened => return Ok(opened?),
        };
        if since.elapsed() >= settings.connect_timeout {
            return Err(error);
        }
        close_idle(settings);
        failures += 1;
        if let Some(idle) = wait(PAUSES.pause(failures)) {
            return Ok(idle);
        }
    }
}

/// Waits, for a caller that has no pool.
pub(super) fn pause(limit: Duration) -> Option<Connection> {
    thread::sleep(limit);
    None
}

/// Closes the idle connections of this process to a server.
fn close_idle(settings: &PostgresOptions) {
    let server = server(settings);
    let of_server = |entry: &Entry| entry.pool.upgrade().filter(|_| entry.server == server);
    let pools: Vec<_> = lock(&POOLS).iter().filter_map(of_server).collect();
    pools.iter().for_each(|pool| pool.close_idle());
}

/// Returns a text that is the same for pools of the same server.
fn server(settings: &PostgresOptions) -> String {
    let config = &settings.config;
    format!("{:?} {:?}", config.get_hosts(), config.get_ports())
}
