//! Stores that the program provides.

use std::sync::Arc;

use super::Env;
use crate::error::StoreError;
use crate::recorder::ProcessRecorder;
use crate::role::Role;

/// Opens stores that this crate does not know: a backend of the user's own, or a store for a test.
///
/// Set it with [`Env::with_store`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` opens no stores",
    label = "needs `impl StoreFactory for {Self}`"
)]
pub trait StoreFactory: Send + Sync {
    /// Opens the store of an application. `env` is the environment as that application sees it.
    ///
    /// # Errors
    /// Fails when the store cannot be opened.
    fn open(
        &self,
        application: &str,
        role: Role,
        env: &Env,
    ) -> Result<Arc<dyn ProcessRecorder>, StoreError>;
}
