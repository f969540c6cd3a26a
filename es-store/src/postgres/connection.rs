//! A connection and its prepared statements.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, Error, Row, Statement};

use super::blocking::check_may_block;
use super::codes;
use super::names::Names;
use super::options::PostgresOptions;
use super::session;
use super::sql::Sql;
use crate::error::StoreError;
use crate::postgres_client::{Client, ConnectError, Limit, Target, connect};
use crate::sql::transaction::Value;

/// The maximum number of prepared statements that are kept by their text. When it is reached, all
/// are prepared again.
pub(super) const KEPT: usize = 100;

/// The prepared statements that are found by their text: those of users, and our own for what is
/// set aside.
pub(super) type Statements = HashMap<String, Statement>;

pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) statements: Statements,
    /// The time of the last use, for a connection of the pool for users' transactions.
    pub(super) last_used: Instant,
    /// True if the connection was found to be lost.
    pub(super) is_lost: bool,
    /// The statements after a user's transaction that return to the settings of the session.
    pub(super) restore: &'static str,
    names: Arc<Names>,
    prepared: HashMap<Sql, Statement>,
}

/// The reason why a connection was not opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// The limit of connections of the server, the database or the role is reached.
    NoneLeft(StoreError),
    Other(StoreError),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Other(error)
    }
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NoneLeft(error) | OpenError::Other(error) => error,
        }
    }
}

impl Connection {
    /// Opens a connection for reading.
    pub(super) fn open(settings: &PostgresOptions, names: &Arc<Names>) -> Result<Self, OpenError> {
        let limit = settings.request_limit;
        Self::connect(settings, &settings.config, names, limit, session::begin)
    }

    /// Opens a connection that listens, whose only request is `LISTEN`.
    pub(super) fn open_listener(
        settings: &PostgresOptions,
        names: &Arc<Names>,
    ) -> Result<Self, OpenError> {
        let limit = settings.check_limit;
        Self::connect(settings, &settings.config, names, limit, session::begin)
    }

    /// Opens a connection for writing.
    pub(super) fn open_writer(
        settings: &PostgresOptions,
        names: &Arc<Names>,
    ) -> Result<Self, OpenError> {
        let limit = settings.request_limit;
        let begin = |client: &mut Client| session::begin_writing(client).map(drop);
        Self::connect(settings, &settings.config, names, limit, begin)
    }

    /// Opens a connection for a user's transactions. Its idle time and the time of each statement
    /// are limited by the timeout of a handler.
    pub(super) fn open_for_tables(
        settings: &PostgresOptions,
        names: &Arc<Names>,
    ) -> Result<Self, OpenError> {
        let mut config = settings.config.clone();
        config.options(&settings.users_session);
        let restore = Cell::new("");
        let begin = |client: &mut Client| {
            restore.set(session::begin_writing(client)?);
            Ok(())
        };
        let mut opened = Self::connect(settings, &config, names, settings.tables_limit, begin)?;
        opened.restore = restore.get();
        Ok(opened)
    }

    fn connect(
        settings: &PostgresOptions,
        config: &Config,
        names: &Arc<Names>,
        limit: Option<Limit>,
        begin: impl Fn(&mut Client) -> Result<(), Error>,
    ) -> Result<Self, OpenError> {
        check_may_block(&settings.label)?;
        let open = |target: &Target<'_>| settings.tls.connect(target);
        let answered = &settings.answered;
        let connected = connect(config, settings.connect_limit, answered, open, begin);
        let mut client = connected.map_err(|error| match error {
            ConnectError::Driver(error) if codes::is_none_left(&error) => {
                OpenError::NoneLeft(settings.label.none_left(&error, settings.readers()))
            }
            error => OpenError::Other(settings.label.cannot_connect(error)),
        })?;
        client.set_limit(limit);
        Ok(Self {
            client,
            statements: HashMap::new(),
            last_used: Instant::now(),
            is_lost: false,
            restore: "",
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

    /// Executes one of the library's own statements with values of any type. Returns the number of
    /// rows that it has changed.
    pub(super) fn execute_text(&mut self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        let statement = self.prepared_text(sql)?;
        self.client.execute(&statement, &borrowed(params))
    }

    /// Runs one of the library's own queries with values of any type. Returns the columns of all
    /// rows that it finds.
    pub(super) fn select_text(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<Vec<Value>>, Error> {
        let statement = self.prepared_text(sql)?;
        let rows = self.client.query(&statement, &borrowed(params))?;
        let columns = |row: &Row| (0..row.len()).map(|index| row.try_get(index)).collect();
        rows.iter().map(columns).collect()
    }

    fn prepared_text(&mut self, sql: &str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= KEPT {
            self.statements.clear();
        }
        let statement = self.client.prepare(sql)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// Returns values as parameters.
pub(super) fn borrowed(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params
        .iter()
        .map(|param| param as &(dyn ToSql + Sync))
        .collect()
}
