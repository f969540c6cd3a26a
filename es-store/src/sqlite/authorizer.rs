//! The authorizer, which prevents a user's statements from beginning or ending the transaction.

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::flag::{Flag, RaisedFlag};

/// The authorizer of one connection.
#[derive(Default)]
pub(super) struct Authorizer {
    denies: Flag,
    is_installed: bool,
}

impl Authorizer {
    /// Installs the authorizer, unless it is installed. It is not needed before a projection
    /// writes.
    pub(super) fn install(&mut self, connection: &mut Connection) -> rusqlite::Result<()> {
        if self.is_installed {
            return Ok(());
        }
        let denies = self.denies.clone();
        connection.authorizer(Some(move |asked: AuthContext<'_>| {
            let is_control = matches!(asked.action, AuthAction::Transaction { .. });
            if is_control && denies.is_up() {
                Authorization::Deny
            } else {
                Authorization::Allow
            }
        }))?;
        self.is_installed = true;
        Ok(())
    }

    /// Denies `BEGIN`, `COMMIT` and `ROLLBACK` until the guard is dropped.
    pub(super) fn deny_transaction_control(&self) -> Option<RaisedFlag> {
        self.denies.raise()
    }
}
