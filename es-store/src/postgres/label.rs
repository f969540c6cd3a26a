//! How a database is called in errors, and what the driver's errors mean.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::tls;
use crate::StoreError;
use crate::postgres_client::{ConnectError, message};
use crate::sql;

/// The name of a database, for errors, and its limit for locks.
#[derive(Debug, Clone)]
pub(super) struct Label {
    name: Arc<str>,
    user: Arc<str>,
    lock_timeout: Duration,
}

impl Label {
    pub(super) fn new(dbname: &str, host: &str, user: &str, lock_timeout: Duration) -> Self {
        Self {
            name: format!("PostgreSQL database `{dbname}` on {host}").into(),
            user: user.into(),
            lock_timeout,
        }
    }

    /// How errors call it.
    pub(super) fn store(&self) -> String {
        self.name.to_string()
    }

    /// The error of the driver while it was `doing` something.
    pub(super) fn failed(&self, doing: &'static str, error: Error) -> StoreError {
        let store = self.name.to_string();
        match error.code() {
            Some(&SqlState::LOCK_NOT_AVAILABLE) => self.locked("another connection".to_owned()),
            Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => StoreError::ReadOnly { store, doing },
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => self.misconfigured(format!(
                "the role `{}` lacks a privilege for {doing}: {}{}",
                self.user,
                message(&error),
                privileges(doing)
            )),
            _ => StoreError::Driver {
                store,
                doing,
                error: Arc::new(Said(message(&error))),
            },
        }
    }

    pub(super) fn would_block(&self) -> StoreError {
        StoreError::WouldBlock {
            store: self.name.to_string(),
        }
    }

    /// The error of a connection that could not be made.
    pub(super) fn cannot_connect(&self, error: ConnectError) -> StoreError {
        let error = match error {
            ConnectError::Driver(error) => error,
            ConnectError::Unreachable { .. } => {
                return StoreError::Driver {
                    store: self.store(),
                    doing: "connecting",
                    error: Arc::new(error),
                };
            }
        };
        let keys = match error.code() {
            Some(&SqlState::INVALID_PASSWORD) => "POSTGRES_USER, POSTGRES_PASSWORD",
            // There is no such role, or the server's rules ask for TLS or for a certificate.
            Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
                "POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_SSLMODE"
            }
            Some(&SqlState::INVALID_CATALOG_NAME) => "POSTGRES_DBNAME",
            _ => match tls::keys(&error) {
                Some(keys) => keys,
                None => return self.failed("connecting", error),
            },
        };
        self.misconfigured(format!("connecting failed: {} ({keys})", message(&error)))
    }

    /// How long a save waits for those of this process that came before it: as long as for the lock
    /// of the table, which they may be waiting for.
    pub(super) fn queue(&self) -> sql::label::Label {
        const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);
        let limit = match self.lock_timeout {
            Duration::ZERO => FOR_EVER,
            limit => limit.max(Duration::from_secs(1)),
        };
        self.label().waiting_at_least(limit)
    }

    /// The label that all databases have.
    pub(super) fn label(&self) -> sql::label::Label {
        sql::label::Label::new(&self.name, self.lock_timeout, "POSTGRES_LOCK_TIMEOUT")
    }

    pub(super) fn locked(&self, holder: String) -> StoreError {
        StoreError::Locked {
            store: self.name.to_string(),
            holder,
            limit: self.lock_timeout,
            key: "POSTGRES_LOCK_TIMEOUT",
        }
    }

    /// The error of connections that are lost as soon as they are made.
    pub(super) fn closed(&self) -> StoreError {
        StoreError::Driver {
            store: self.store(),
            doing: "beginning a transaction",
            error: Arc::new(Said("each connection was lost at once".to_owned())),
        }
    }

    pub(super) fn outcome_unknown(&self, error: StoreError) -> StoreError {
        StoreError::OutcomeUnknown {
            store: self.name.to_string(),
            error: Arc::new(error),
        }
    }

    pub(super) fn no_thread(&self, error: std::io::Error) -> StoreError {
        StoreError::Driver {
            store: self.name.to_string(),
            doing: "starting a thread",
            error: Arc::new(error),
        }
    }

    pub(super) fn damaged(&self, at: impl Into<String>, problem: impl Into<String>) -> StoreError {
        StoreError::DamagedRow {
            store: self.name.to_string(),
            at: at.into(),
            problem: problem.into(),
        }
    }

    pub(super) fn misconfigured(&self, problem: impl std::fmt::Display) -> StoreError {
        StoreError::Configuration(format!("{}: {problem}", self.name))
    }
}

/// What the server or the driver said. The detail of the server is left out: it may quote values of
/// a row.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Said(String);

/// Which privileges that takes, where the server does not say: it names the table, and one is for
/// its lock.
fn privileges(doing: &str) -> &'static str {
    if !doing.starts_with("recording") {
        return "";
    }
    "; GRANT SELECT, INSERT, UPDATE on the tables of the application (locking the events takes UPDATE), and USAGE on \
     the sequence of the events"
}

/// Whether a kept statement cannot be used any more, because somebody has changed the type of a
/// column. It was not begun.
pub(super) fn is_outdated(error: &Error) -> bool {
    error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED)
}
