//! A blocking client, over the futures of `tokio-postgres`.
//!
//! It has neither a runtime nor a thread. The thread that makes a request polls it and its
//! connection, and waits for the socket by `poll(2)` in between. So no work is passed between
//! threads, the limit of a request is the timeout of `poll`, several statements can be in flight,
//! and a client can be created, used and dropped on any thread. The table shows microseconds per
//! request, the best of five interleaved runs, and the median of the client's CPU time. It was
//! measured with a prepared `SELECT $1` by a Unix socket on two cores.
//!
//! | | 1 thread | CPU | 8 threads | CPU |
//! |---|---|---|---|---|
//! | the crate `postgres`: a tokio runtime per connection | 18.5 | 10.5 | 16.0 | 11.0 |
//! | the caller polls, one runtime watches all sockets | 17.4 | 10.1 | 15.3 | 12.6 |
//! | connections are tasks of one runtime | 22.3 | 13.5 | 22.5 | 18.5 |
//! | this client | 13.3 | 6.1 | 13.5 | 10.2 |
//!
//! A connection is polled only during a request. Bytes that the server sends at other times stay in
//! the socket until the next request.

mod answered;
mod connect;
mod copy;
mod event_loop;
mod limit;
mod resolve;
mod socket;
mod transaction;

use std::io::Cursor;
use std::time::Duration;

use futures_util::future::join_all;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Notification, Row, Statement, ToStatement};

pub(crate) use self::answered::LastAnswered;
pub(crate) use self::connect::{ConnectError, Target, connect};
pub use self::copy::{CopyInWriter, CopyOutReader};
use self::event_loop::{EventLoop, Received};
pub(crate) use self::limit::Limit;
#[cfg(feature = "tls")]
pub(crate) use self::socket::Stream;
pub use self::transaction::Transaction;
use crate::sync::Flag;

/// A connection to a PostgreSQL server. Its methods block until the server has answered.
///
/// When a request exceeds its limit, the connection is closed and the error is that of a lost
/// connection: the request may have been executed.
pub struct Client {
    // Fields are dropped in order. When this one is dropped no more requests can be made, and the
    // connection sends Terminate.
    requests: tokio_postgres::Client,
    events: EventLoop,
}

impl Client {
    /// Returns the rows of a statement.
    ///
    /// # Errors
    /// Fails when the server rejects the statement, a parameter has another type, or the connection
    /// is lost.
    pub fn query<T: ?Sized + ToStatement>(
        &mut self,
        statement: &T,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        self.events.run(self.requests.query(statement, params))
    }

    /// Returns the only row of a statement.
    ///
    /// # Errors
    /// Fails as [`query`](Self::query) does, and when there is no row, or more than one.
    pub fn query_one<T: ?Sized + ToStatement>(
        &mut self,
        statement: &T,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, Error> {
        self.events.run(self.requests.query_one(statement, params))
    }

    /// Returns the only row of a statement, or `None` if there is none.
    ///
    /// # Errors
    /// Fails as [`query`](Self::query) does, and when there is more than one row.
    pub fn query_opt<T: ?Sized + ToStatement>(
        &mut self,
        statement: &T,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, Error> {
        self.events.run(self.requests.query_opt(statement, params))
    }

    /// Executes a statement and returns the number of rows that it changed.
    ///
    /// # Errors
    /// Fails as [`query`](Self::query) does.
    pub fn execute<T: ?Sized + ToStatement>(
        &mut self,
        statement: &T,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        self.events.run(self.requests.execute(statement, params))
    }

    /// Executes statements separated by semicolons, without parameters. It stops at the first that
    /// fails.
    ///
    /// # Errors
    /// Fails as [`query`](Self::query) does.
    pub fn batch_execute(&mut self, statements: &str) -> Result<(), Error> {
        self.events.run(self.requests.batch_execute(statements))
    }

    /// Prepares a statement, which this connection can then execute any number of times.
    ///
    /// # Errors
    /// Fails as [`query`](Self::query) does.
    pub fn prepare(&mut self, statement: &str) -> Result<Statement, Error> {
        self.events.run(self.requests.prepare(statement))
    }

    /// Sends statements without waiting for answers in between. Returns the rows or the error of
    /// each, in their order. Outside of a transaction each statement is a transaction of its own;
    /// inside, all statements after a failed one fail too.
    ///
    /// # Errors
    /// Fails when the connection is lost.
    pub fn pipeline(
        &mut self,
        statements: &[(&Statement, &[&(dyn ToSql + Sync)])],
    ) -> Result<Vec<Result<Vec<Row>, Error>>, Error> {
        self.run(async |requests| {
            let sent = statements
                .iter()
                .map(|(statement, params)| requests.query(*statement, params));
            Ok(join_all(sent).await)
        })
    }

    /// Waits for the future that `work` builds from requests of the driver's own client, of which
    /// there may be several at once.
    pub(crate) fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&tokio_postgres::Client) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.events.run(work(&self.requests))
    }

    /// Begins a transaction. It is rolled back when it is dropped without being committed.
    ///
    /// # Errors
    /// Fails as [`query`](Self::query) does.
    pub fn transaction(&mut self) -> Result<Transaction<'_>, Error> {
        Transaction::begin(self, "BEGIN")
    }

    /// Begins a transaction by the statement `begin`, which sets its kind.
    pub(crate) fn transaction_by(&mut self, begin: &str) -> Result<Transaction<'_>, Error> {
        Transaction::begin(self, begin)
    }

    /// Begins a `COPY .. FROM STDIN`.
    ///
    /// # Errors
    /// Fails as [`query`](Self::query) does.
    pub fn copy_in<T: ?Sized + ToStatement>(
        &mut self,
        statement: &T,
    ) -> Result<CopyInWriter<'_>, Error> {
        let sink = self
            .events
            .run(self.requests.copy_in::<T, Cursor<Vec<u8>>>(statement))?;
        Ok(CopyInWriter::new(&mut self.events, sink))
    }

    /// Begins a `COPY .. TO STDOUT`.
    ///
    /// # Errors
    /// Fails as [`query`](Self::query) does.
    pub fn copy_out<T: ?Sized + ToStatement>(
        &mut self,
        statement: &T,
    ) -> Result<CopyOutReader<'_>, Error> {
        let stream = self.events.run(self.requests.copy_out(statement))?;
        Ok(CopyOutReader::new(&mut self.events, stream))
    }

    /// Returns the next notification of the channels that this connection listens to, or `None`
    /// after `limit`.
    ///
    /// # Errors
    /// Fails when the connection is lost.
    pub fn next_notification(&mut self, limit: Duration) -> Result<Option<Notification>, Error> {
        match self.events.next_notification(limit)? {
            // A request on a closed connection returns its error.
            Received::Closed => self.check_connection().map(|()| None),
            Received::Nothing => Ok(None),
            Received::Notification(notification) => Ok(Some(notification)),
        }
    }

    /// Returns true if the connection is known to be closed. A lost connection may not be known
    /// yet.
    pub fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }

    /// Checks that the server answers.
    ///
    /// # Errors
    /// Fails when the connection is lost.
    pub fn check_connection(&mut self) -> Result<(), Error> {
        self.events.run(self.requests.check_connection())
    }

    /// Closes the connection without sending Terminate.
    fn close(&mut self) {
        self.events.close();
    }

    /// Raises `in_request` while a request waits for its answer, from now on.
    pub(crate) fn show_requests(&mut self, in_request: Flag) {
        self.events.in_request = in_request;
    }

    /// Sets the limit of each further request; `None` means no limit.
    pub(crate) fn set_limit(&mut self, limit: Option<Limit>) {
        self.events.limit = limit;
    }
}

#[cfg(all(test, unix))]
mod tests;
