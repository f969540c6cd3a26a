//! Access to the database's own transaction.

use super::Transaction;

impl<'a> Transaction<'a> {
    /// Returns SQLite's own connection (of the crate `rusqlite`) in its open transaction, or `None`
    /// for another database.
    #[cfg(feature = "sqlite")]
    pub fn sqlite(&mut self) -> Option<&rusqlite::Connection> {
        self.is_handed_out = true;
        self.driver.sqlite()
    }

    /// Returns PostgreSQL's own open transaction (see [`driver`](crate::postgres::driver)), or
    /// `None` for another database.
    ///
    /// A `COMMIT` sent through it fails, and so does the handler; a `ROLLBACK` fails the handler
    /// too. Only statements that the handler executes after the `ROLLBACK`, outside of any
    /// transaction, are kept. (A role without the privilege `TEMP` can commit. That is noticed too
    /// late.)
    #[cfg(feature = "postgres")]
    pub fn postgres(&mut self) -> Option<&mut crate::postgres_client::Transaction<'a>> {
        self.is_handed_out = true;
        if let Err(failure) = self.driver.guard(&self.owner.label) {
            self.failure.get_or_insert(failure);
        }
        self.driver.postgres()
    }

    /// Records the failure of a transaction that the user has ended.
    pub(super) fn check_handed_out(&mut self) {
        if std::mem::take(&mut self.is_handed_out) && self.failure.is_none() {
            self.failure = self.driver.check_open(&self.owner.label).err();
        }
    }
}
