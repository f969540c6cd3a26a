//! A connection and its prepared statements.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use es_core::error_chain;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row, Statement};

use super::blocking::check_may_block;
use super::names::Names;
use super::options::PostgresOptions;
use super::sql::Sql;
use crate::error::StoreError;
use crate::postgres_client::{Client, Limit, Target, connect};

/// The prepared statements of users, by their text.
pub(super) type Statements = HashMap<String, Statement>;

pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) statements: Statements,
    /// The time of the last use, for a connection of the pool for users' transactions.
    pub(super) last_used: Instant,
    /// True if the connection was found to be lost.
    pub(super) is_lost: bool,
    names: Arc<Names>,
    prepared: HashMap<Sql, Statement>,
}

impl Connection {
    pub(super) fn open(settings: &PostgresOptions, names: &Arc<Names>) -> Result<Self, StoreError> {
        Self::connect(settings, names, settings.request_limit, |_| Ok(()))
    }

    /// Opens a connection that listens, whose only request is `LISTEN`.
    pub(super) fn open_listener(
        settings: &PostgresOptions,
        names: &Arc<Names>,
    ) -> Result<Client, StoreError> {
        let connection = Self::connect(settings, names, settings.check_limit, |_| Ok(()));
        connection.map(|connection| connection.client)
    }

    /// Opens a connection for writing. If this process dies, its last request outlives it by a
    /// second at most.
    pub(super) fn open_writer(
        settings: &PostgresOptions,
        names: &Arc<Names>,
    ) -> Result<Self, StoreError> {
        Self::connect(settings, names, settings.request_limit, end_with_client)
    }

    /// Opens a connection for a user's transactions. Its idle time and the time of each statement
    /// are limited by the timeout of a handler. Users' tables need plans of all kinds.
    pub(super) fn open_for_tables(
        settings: &PostgresOptions,
        names: &Arc<Names>,
    ) -> Result<Self, StoreError> {
        let limit = settings.policy_timeout.as_millis().max(1);
        let set = format!(
            "SET idle_in_transaction_session_timeout = {limit}; SET statement_timeout = {limit}; \
             SET enable_seqscan = on; SET enable_bitmapscan = on"
        );
        Self::connect(settings, names, settings.tables_limit, |client| {
            end_with_client(client)?;
            client.batch_execute(&set)
        })
    }

    fn connect(
        settings: &PostgresOptions,
        names: &Arc<Names>,
        limit: Option<Limit>,
        begin: impl Fn(&mut Client) -> Result<(), Error>,
    ) -> Result<Self, StoreError> {
        check_may_block(&settings.label)?;
        let open = |target: &Target<'_>| settings.tls.connect(target);
        let mut client = connect(
            &settings.config,
            settings.connect_limit,
            &settings.answered,
            open,
            begin,
        )
        .map_err(|error| settings.label.cannot_connect(error))?;
        client.set_limit(limit);
        Ok(Self {
            client,
            statements: HashMap::new(),
            last_used: Instant::now(),
            is_lost: false,
            names: names.clone(),
            prepared: HashMap::new(),
        })
    }

    /// Returns true if the connection still works. A connection that was idle for a second is
    /// checked.
    pub(super) fn is_alive(&mut self) -> bool {
        const IDLE: Duration = Duration::from_secs(1);
        !self.client.is_closed()
            && (self.last_used.elapsed() < IDLE || self.client.check_connection().is_ok())
    }

    pub(super) fn query(
        &mut self,
        sql: Sql,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let statement = self.prepared(sql)?;
        self.client.query(&statement, params)
    }

    pub(super) fn execute(
        &mut self,
        sql: Sql,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        let statement = self.prepared(sql)?;
        self.client.execute(&statement, params)
    }

    fn prepared(&mut self, sql: Sql) -> Result<Statement, Error> {
        if let Some(statement) = self.prepared.get(&sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&sql.text(&self.names))?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }
}

/// Tells the server to cancel a request when its client is gone. Some systems cannot detect that;
/// the setting is optional.
fn end_with_client(client: &mut Client) -> Result<(), Error> {
    match client.batch_execute("SET client_connection_check_interval = '1s'") {
        Err(error) if error.as_db_error().is_some() => {
            let error = error_chain(&error);
            tracing::debug!(%error, "the server cannot detect that its client is gone");
            Ok(())
        }
        done => done,
    }
}
