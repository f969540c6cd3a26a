//! The name of a database in error messages, and the errors of connections.

use std::ops::Deref;
use std::time::Duration;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::codes::{Message, failure};
use super::names::Names;
use super::tls;
use crate::error::StoreError;
use crate::postgres_client::ConnectError;
use crate::sql::label::Label;
use crate::sql::names::literal;

/// The name of a database in error messages, with the role that connects to it.
#[derive(Debug, Clone)]
pub(super) struct PostgresLabel {
    label: Label,
    user: String,
}

impl Deref for PostgresLabel {
    type Target = Label;

    fn deref(&self) -> &Label {
        &self.label
    }
}

impl PostgresLabel {
    pub(super) fn new(dbname: &str, host: &str, user: &str, lock_timeout: Duration) -> Self {
        let store = format!("PostgreSQL database `{dbname}` on {host}");
        Self {
            label: Label::new(&store, lock_timeout, "POSTGRES_LOCK_TIMEOUT"),
            user: user.to_owned(),
        }
    }

    /// Returns the error of the driver while it was `doing` something.
    pub(super) fn failed(&self, doing: &'static str, error: Error) -> StoreError {
        if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
            return self.misconfigured(format!(
                "the role `{}` lacks a privilege for {doing}: {}{}",
                self.user,
                Message::of(&error),
                privileges(doing)
            ));
        }
        failure(self, doing, &error)
    }

    /// Returns the error of a sequence that lies behind the events of its table.
    pub(super) fn sequence_behind(&self, names: &Names) -> StoreError {
        let (events, path) = (&names.events, names.path(&names.events));
        let name = literal(&path);
        self.misconfigured(format!(
            "the sequence of positions lies behind the last event of `{events}`, as after a copy of the tables that \
             left it out. Readers have passed the positions that it gives, so nothing was recorded. Set it to the \
             last position: SELECT setval(pg_get_serial_sequence({name}, 'notification_id'), \
             (SELECT max(notification_id) FROM {path}))"
        ))
    }

    pub(super) fn would_block(&self) -> StoreError {
        StoreError::WouldBlock {
            store: self.store(),
        }
    }

    /// Returns the error of a connection that could not be opened.
    pub(super) fn cannot_connect(&self, error: ConnectError) -> StoreError {
        let error = match error {
            ConnectError::Driver(error) => error,
            ConnectError::Unreachable { .. } => return self.driver("connecting", error),
            ConnectError::LacksTls(error) => return self.cannot_connect_by(&error, tls::MODE),
        };
        let keys = match error.code() {
            Some(&SqlState::INVALID_PASSWORD) => "POSTGRES_USER, POSTGRES_PASSWORD",
            // The role does not exist, or the server requires TLS or a client certificate.
            Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
                "POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_SSLMODE"
            }
            Some(&SqlState::INVALID_CATALOG_NAME) => "POSTGRES_DBNAME",
            _ => match tls::keys(&error) {
                Some(keys) => keys,
                None => return self.failed("connecting", error),
            },
        };
        self.cannot_connect_by(&error, keys)
    }

    /// Returns the error of a connection that could not be opened; `keys` have to be checked.
    fn cannot_connect_by(&self, error: &Error, keys: &str) -> StoreError {
        let message = Message::of(error);
        self.misconfigured(format!("connecting failed: {message} ({keys})"))
    }

    /// Returns the error of a server that has no connection left. The application reads with up to
    /// `readers` connections.
    pub(super) fn none_left(&self, error: &Error, readers: usize) -> StoreError {
        let message = Message::of(error);
        self.driver(
            "connecting",
            Message::new(format!(
                "{message}: this application may open {} connections, and {} if it is a projection; \
                 lower POSTGRES_POOL_SIZE or POSTGRES_MAX_OVERFLOW, or raise max_connections, or the \
                 CONNECTION LIMIT of the role or the database",
                readers.saturating_add(2),
                readers.saturating_mul(2).saturating_add(3),
            )),
        )
    }

    /// Returns the label of the queue of saves. A save waits in it as long as for the lock of the
    /// table, which the saves before it may be waiting for. A limit of 0 means no limit.
    pub(super) fn queue(&self) -> Label {
        const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);
        const AT_LEAST: Duration = Duration::from_secs(1);
        let is_unlimited = self.lock_timeout().is_zero();
        self.waiting_at_least(if is_unlimited { FOR_EVER } else { AT_LEAST })
    }

    /// Returns the error of connections that are lost as soon as they are opened.
    pub(super) fn closed(&self) -> StoreError {
        let lost = Message::new("each new connection was lost immediately");
        self.driver("beginning a transaction", lost)
    }
}

/// Returns the privileges that recording needs. The server's message names only the table, and one
/// of the privileges is for its lock.
fn privileges(doing: &str) -> &'static str {
    if !doing.starts_with("recording") {
        return "";
    }
    "; GRANT SELECT, INSERT, UPDATE on the tables of the application (locking the events takes UPDATE), and USAGE on \
     the sequence of the events"
}
