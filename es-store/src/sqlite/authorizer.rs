//! The authorizer, which prevents a user's statements from ending the transaction and from changing
//! the connection.
//!
//! A connection outlives a user's transaction: the library saves and reads with it. So a `PRAGMA`
//! that would set it otherwise, such as `query_only` or `busy_timeout`, is refused, and so are
//! `ATTACH` and `DETACH`. A `PRAGMA` that only shows something, or that is stored in the file, is
//! allowed.

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::sync::{Flag, RaisedFlag};

/// The pragmas whose argument is no setting of the connection. `legacy_alter_table` is one, but
/// only rebuilds depend on it, and they set it themselves.
const HARMLESS: [&str; 15] = [
    "application_id",
    "defer_foreign_keys",
    "foreign_key_check",
    "foreign_key_list",
    "incremental_vacuum",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "legacy_alter_table",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
];

/// The authorizer of one connection.
#[derive(Default)]
pub(super) struct Authorizer {
    denies: Flag,
    is_installed: bool,
}

impl Authorizer {
    /// Installs the authorizer, unless it is installed. It is not needed before a user's code runs
    /// on the connection.
    pub(super) fn install(&mut self, connection: &mut Connection) -> rusqlite::Result<()> {
        if self.is_installed {
            return Ok(());
        }
        let denies = self.denies.clone();
        connection.authorizer(Some(move |asked: AuthContext<'_>| {
            if denies.is_up() && !is_allowed(&asked.action) {
                Authorization::Deny
            } else {
                Authorization::Allow
            }
        }))?;
        self.is_installed = true;
        Ok(())
    }

    /// Denies statements of these kinds until the guard is dropped.
    pub(super) fn deny(&self) -> Option<RaisedFlag> {
        self.denies.raise()
    }
}

fn is_allowed(action: &AuthAction<'_>) -> bool {
    match action {
        AuthAction::Transaction { .. } | AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
            false
        }
        AuthAction::Pragma {
            pragma_name,
            pragma_value: Some(_),
        } => HARMLESS
            .iter()
            .any(|name| name.eq_ignore_ascii_case(pragma_name)),
        _ => true,
    }
}
