//! A blocking client, over the futures of `tokio-postgres`.
//!
//! There is no runtime and no thread: the thread that makes a request polls it and its connection,
//! and waits for the socket by `poll(2)` in between. So nothing is handed from thread to thread,
//! the limit of a request is the limit of `poll`, several statements can be in flight, and a client
//! can be made, used and dropped on any thread. Measured with `SELECT $1`, prepared, by a Unix
//! socket on two cores: microseconds for each request, the best of five interleaved runs, and the
//! client's CPU, the median.
//!
//! | | 1 thread | CPU | 8 threads | CPU |
//! |---|---|---|---|---|
//! | the crate `postgres`: a tokio runtime per connection | 18.5 | 10.5 | 16.0 | 11.0 |
//! | the caller polls, one runtime watches all sockets | 17.4 | 10.1 | 15.3 | 12.6 |
//! | connections are tasks of one runtime | 22.3 | 13.5 | 22.5 | 18.5 |
//! | this client | 13.3 | 6.1 | 13.5 | 10.2 |
//!
//! A connection on which nobody waits is not polled. Bytes that the server sends meanwhile stay in
//! the socket until the next request.

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

pub(crate) use self::connect::{ConnectError, Target, connect};
pub use self::copy::{CopyInWriter, CopyOutReader};
use self::event_loop::{EventLoop, Received};
pub(crate) use self::limit::Limit;
#[cfg(feature = "tls")]
pub(crate) use self::socket::Stream;
pub use self::transaction::Transaction;

/// A connection to a PostgreSQL server. Its methods block until the server has answered.
///
/// When a request exceeds its limit, the connection is closed, and the error is that of a lost
/// connection: what was sent may have been done.
pub struct Client {
    // The first field is dropped first: the connection says goodbye when nobody can make a request
    // any more.
    requests: tokio_postgres::Client,
    events: EventLoop,
}

impl Client {
    /// Returns the rows of a statement.
    ///
    /// # Errors
    /// Fails when the server refuses the statement, a parameter is of another type, or the connection is
    /// lost.
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
    /// As [`query`](Self::query), and when there is no row, or more than one.
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
    /// As [`query`](Self::query), and when there is more than one row.
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
    /// As [`query`](Self::query).
    pub fn execute<T: ?Sized + ToStatement>(
        &mut self,
        statement: &T,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        self.events.run(self.requests.execute(statement, params))
    }

    /// Executes statements separated by semicolons, without parameters, up to the first that fails.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn batch_execute(&mut self, statements: &str) -> Result<(), Error> {
        self.events.run(self.requests.batch_execute(statements))
    }

    /// Prepares a statement, which this connection can then execute many times.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn prepare(&mut self, statement: &str) -> Result<Statement, Error> {
        self.events.run(self.requests.prepare(statement))
    }

    /// Sends statements together, before the answer to the first has come, and returns the rows of
    /// each, or its error, in their order. Outside of a transaction each is one of its own; inside,
    /// those behind one that fails fail too.
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

    /// Waits for what `work` makes of the futures of the driver's own client, which may be several
    /// requests at once.
    pub(crate) fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&tokio_postgres::Client) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.events.run(work(&self.requests))
    }

    /// Begins a transaction. It is rolled back when it is dropped without being committed.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn transaction(&mut self) -> Result<Transaction<'_>, Error> {
        Transaction::begin(self, "BEGIN")
    }

    /// Begins a transaction by a statement that says which kind it is.
    pub(crate) fn transaction_by(&mut self, begin: &str) -> Result<Transaction<'_>, Error> {
        Transaction::begin(self, begin)
    }

    /// Begins to send rows for a `COPY .. FROM STDIN`.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn copy_in<T: ?Sized + ToStatement>(
        &mut self,
        statement: &T,
    ) -> Result<CopyInWriter<'_>, Error> {
        let sink = self
            .events
            .run(self.requests.copy_in::<T, Cursor<Vec<u8>>>(statement))?;
        Ok(CopyInWriter::new(&mut self.events, sink))
    }

    /// Begins to read the rows of a `COPY .. TO STDOUT`.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn copy_out<T: ?Sized + ToStatement>(
        &mut self,
        statement: &T,
    ) -> Result<CopyOutReader<'_>, Error> {
        let stream = self.events.run(self.requests.copy_out(statement))?;
        Ok(CopyOutReader::new(&mut self.events, stream))
    }

    /// Returns the next notification of the channels that this connection listens to; `None` if
    /// none comes in `limit`.
    ///
    /// # Errors
    /// Fails when the connection is lost.
    pub fn next_notification(&mut self, limit: Duration) -> Result<Option<Notification>, Error> {
        match self.events.next_notification(limit)? {
            // Asking for anything is how to get the error of a connection that is closed.
            Received::Closed => self.check_connection().map(|()| None),
            Received::Nothing => Ok(None),
            Received::Notification(notification) => Ok(Some(notification)),
        }
    }

    /// Returns true if the connection is known to be closed. It may be so without being known.
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

    /// Ends the connection without a word.
    fn close(&mut self) {
        self.events.close();
    }

    /// Sets how long a request may take from now on; `None` is as long as it takes.
    pub(crate) fn set_limit(&mut self, limit: Option<Limit>) {
        self.events.limit = limit;
    }
}

#[cfg(all(test, unix))]
mod tests;
