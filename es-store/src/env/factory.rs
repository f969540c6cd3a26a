//! Stores that the program gives.

use std::sync::Arc;

use super::Env;
use crate::error::StoreError;
use crate::recorder::ProcessRecorder;
use crate::role::Role;

/// Opens stores that this crate does not know: a backend of your own, or one made for a test.
///
/// It is put in place with [`Env::with_store`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` opens no stores",
    label = "needs `impl StoreFactory for {Self}`"
)]
pub trait StoreFactory: Send + Sync {
    /// Opens the store of an application. `env` is as the application sees it.
    ///
    /// # Errors
    /// Fails when it cannot be opened.
    fn open(
        &self,
        application: &str,
        role: Role,
        env: &Env,
    ) -> Result<Arc<dyn ProcessRecorder>, StoreError>;
}
