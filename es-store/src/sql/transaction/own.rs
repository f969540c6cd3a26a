//! The database's own transaction, handed out to the user.

use super::Transaction;

impl<'a> Transaction<'a> {
    /// SQLite's own connection (of the crate `rusqlite`), in its open transaction; `None` on
    /// another database.
    #[cfg(feature = "sqlite")]
    pub fn sqlite(&mut self) -> Option<&rusqlite::Connection> {
        self.is_handed_out = true;
        self.driver.sqlite()
    }

    /// PostgreSQL's own open transaction (see [`driver`](crate::postgres::driver)); `None` on
    /// another database.
    ///
    /// A `COMMIT` sent through it fails, and so does the handler, as it does after a `ROLLBACK`.
    /// Only what the handler writes after that, outside of any transaction, stays. (A role without
    /// the privilege `TEMP` can commit; that is noticed too late.)
    #[cfg(feature = "postgres")]
    pub fn postgres(&mut self) -> Option<&mut crate::postgres_client::Transaction<'a>> {
        self.is_handed_out = true;
        if let Err(failure) = self.driver.guard(&self.owner.label) {
            self.failure.get_or_insert(failure);
        }
        self.driver.postgres()
    }

    /// Records the failure of a transaction that was ended by whoever it was handed out to.
    pub(super) fn check_handed_out(&mut self) {
        if std::mem::take(&mut self.is_handed_out) && self.failure.is_none() {
            self.failure = self.driver.check_open(&self.owner.label).err();
        }
    }
}
