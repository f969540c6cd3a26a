//! A connection, and the statements that it keeps prepared.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::postgres::types::ToSql;
use ::postgres::{Client, Error, Row, Statement};

use super::blocking::check_may_block;
use super::names::Names;
use super::settings::Settings;
use super::sql::Sql;
use crate::StoreError;

/// The statements of the user's that a connection keeps prepared, by their text.
pub(super) type Statements = HashMap<String, Statement>;

pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) statements: Statements,
    /// When it was last put back, if it is one that is kept for a user's transactions.
    pub(super) last_used: Instant,
    /// Whether it turned out to be lost.
    pub(super) is_lost: bool,
    names: Arc<Names>,
    prepared: HashMap<Sql, Statement>,
}

impl Connection {
    pub(super) fn open(settings: &Settings, names: &Arc<Names>) -> Result<Self, StoreError> {
        check_may_block(&settings.label)?;
        let client = settings
            .tls
            .connect(&settings.config)
            .map_err(|error| settings.label.cannot_connect(error))?;
        Ok(Self {
            client,
            statements: HashMap::new(),
            last_used: Instant::now(),
            is_lost: false,
            names: names.clone(),
            prepared: HashMap::new(),
        })
    }

    /// A connection for writing: should this process die, what it has sent does not outlive it by more than a second.
    pub(super) fn open_writer(settings: &Settings, names: &Arc<Names>) -> Result<Self, StoreError> {
        let mut connection = Self::open(settings, names)?;
        let check = "SET client_connection_check_interval = '1s'";
        match connection.client.batch_execute(check) {
            // Not every system can do it, and nothing breaks without.
            Err(error) if error.as_db_error().is_some() => {
                tracing::debug!(%error, "the server does not look whether its client is there");
            }
            Err(error) => return Err(settings.label.failed("connecting", error)),
            Ok(()) => {}
        }
        Ok(connection)
    }

    /// A connection for a user's transactions, which may stand still, and whose statements may take, as long as one handler
    /// may. Tables of a user's own need plans of all kinds.
    pub(super) fn open_for_tables(
        settings: &Settings,
        names: &Arc<Names>,
    ) -> Result<Self, StoreError> {
        let mut connection = Self::open_writer(settings, names)?;
        let limit = settings.policy_timeout.as_millis().max(1);
        let set = format!(
            "SET idle_in_transaction_session_timeout = {limit}; SET statement_timeout = {limit}; \
             SET enable_seqscan = on; SET enable_bitmapscan = on"
        );
        let set = connection.client.batch_execute(&set);
        set.map_err(|error| settings.label.failed("connecting", error))?;
        Ok(connection)
    }

    /// Whether it can be used again, after it lay idle.
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
