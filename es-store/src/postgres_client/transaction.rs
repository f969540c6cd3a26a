//! An open transaction.

use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row, SimpleQueryMessage, Statement, ToStatement};

use super::{Client, CopyInWriter, CopyOutReader};

/// An open transaction of a [`Client`]. It is rolled back when it is dropped without being
/// committed.
pub struct Transaction<'a> {
    client: &'a mut Client,
    /// The number of enclosing transactions. All but the outermost are savepoints.
    depth: usize,
    is_over: bool,
}

impl<'a> Transaction<'a> {
    pub(super) fn begin(client: &'a mut Client, begin: &str) -> Result<Self, Error> {
        client.batch_execute(begin)?;
        Ok(Self {
            client,
            depth: 0,
            is_over: false,
        })
    }

    /// Returns the rows of a statement.
    ///
    /// # Errors
    /// Fails as [`Client::query`] does.
    pub fn query<T: ?Sized + ToStatement>(
        &mut self,
        statement: &T,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        self.client.query(statement, params)
    }

    /// Returns the only row of a statement.
    ///
    /// # Errors
    /// Fails as [`Client::query_one`] does.
    pub fn query_one<T: ?Sized + ToStatement>(
        &mut self,
        statement: &T,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, Error> {
        self.client.query_one(statement, params)
    }

    /// Returns the only row of a statement, or `None` if there is none.
    ///
    /// # Errors
    /// Fails as [`Client::query_opt`] does.
    pub fn query_opt<T: ?Sized + ToStatement>(
        &mut self,
        statement: &T,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, Error> {
        self.client.query_opt(statement, params)
    }

    /// Executes a statement and returns the number of rows that it changed.
    ///
    /// # Errors
    /// Fails as [`Client::execute`] does.
    pub fn execute<T: ?Sized + ToStatement>(
        &mut self,
        statement: &T,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        self.client.execute(statement, params)
    }

    /// Executes statements separated by semicolons, without parameters. It stops at the first that
    /// fails.
    ///
    /// # Errors
    /// Fails as [`Client::batch_execute`] does.
    pub fn batch_execute(&mut self, statements: &str) -> Result<(), Error> {
        self.client.batch_execute(statements)
    }

    /// Prepares a statement, which this connection can then execute any number of times.
    ///
    /// # Errors
    /// Fails as [`Client::prepare`] does.
    pub fn prepare(&mut self, statement: &str) -> Result<Statement, Error> {
        self.client.prepare(statement)
    }

    /// Sends statements without waiting for answers in between. Returns the rows or the error of
    /// each, in their order.
    ///
    /// # Errors
    /// Fails as [`Client::pipeline`] does.
    pub fn pipeline(
        &mut self,
        statements: &[(&Statement, &[&(dyn ToSql + Sync)])],
    ) -> Result<Vec<Result<Vec<Row>, Error>>, Error> {
        self.client.pipeline(statements)
    }

    /// Begins a `COPY .. FROM STDIN`.
    ///
    /// # Errors
    /// Fails as [`Client::copy_in`] does.
    pub fn copy_in<T: ?Sized + ToStatement>(
        &mut self,
        statement: &T,
    ) -> Result<CopyInWriter<'_>, Error> {
        self.client.copy_in(statement)
    }

    /// Begins a `COPY .. TO STDOUT`.
    ///
    /// # Errors
    /// Fails as [`Client::copy_out`] does.
    pub fn copy_out<T: ?Sized + ToStatement>(
        &mut self,
        statement: &T,
    ) -> Result<CopyOutReader<'_>, Error> {
        self.client.copy_out(statement)
    }

    /// Begins a nested transaction, which can be rolled back alone.
    ///
    /// # Errors
    /// Fails as [`Client::query`] does.
    pub fn transaction(&mut self) -> Result<Transaction<'_>, Error> {
        let depth = self.depth + 1;
        self.client
            .batch_execute(&format!("SAVEPOINT {}", savepoint(depth)))?;
        Ok(Transaction {
            client: self.client,
            depth,
            is_over: false,
        })
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// Fails when the server rejects the commit, or the connection is lost. After a loss the
    /// outcome is unknown.
    pub fn commit(mut self) -> Result<(), Error> {
        self.is_over = true;
        match self.depth {
            0 => self.client.batch_execute("COMMIT"),
            depth => self
                .client
                .batch_execute(&format!("RELEASE {}", savepoint(depth))),
        }
    }

    /// Ends the transaction by the statement `end`, and then executes `after`, in the same request.
    /// Returns what the statements of `after` have returned: their failure does not undo the end.
    pub(crate) fn end_and(
        mut self,
        end: &str,
        after: &str,
    ) -> Result<Result<Vec<SimpleQueryMessage>, Error>, Error> {
        self.is_over = true;
        let statements = format!("{end}; {after}");
        self.client.run(async |requests| {
            let mut answers = pin!(requests.simple_query_raw(&statements).await?);
            answers.try_next().await?;
            Ok(answers.try_collect().await)
        })
    }

    /// Rolls the transaction back.
    ///
    /// # Errors
    /// Fails when the connection is lost, which also rolls it back.
    pub fn rollback(mut self) -> Result<(), Error> {
        self.end()
    }

    /// Returns the connection of the transaction.
    pub(crate) fn client(&mut self) -> &mut Client {
        self.client
    }

    fn end(&mut self) -> Result<(), Error> {
        self.is_over = true;
        match self.depth {
            0 => self.client.batch_execute("ROLLBACK"),
            depth => {
                let name = savepoint(depth);
                self.client
                    .batch_execute(&format!("ROLLBACK TO {name}; RELEASE {name}"))
            }
        }
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.is_over && !self.client.is_closed() && self.end().is_err() {
            // The server rolls back when the connection ends.
            self.client.close();
        }
    }
}

fn savepoint(depth: usize) -> String {
    format!("es_savepoint_{depth}")
}
