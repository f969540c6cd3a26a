//! The traits by which a system knows the applications of a user.

use std::ops::Deref;

use es_store::{Env, Role};

use crate::application::core::Application;
use crate::error::Result;

/// An application that can be a node of a system, and be followed.
///
/// `#[application]` and `#[process_application]` on a struct implement it; never implement it yourself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an application",
    label = "needs `#[application]`, `#[process_application]` or `#[projection]` on `struct {Self}`",
    note = "if it is an aggregate, name the application that saves it"
)]
pub trait Leader: Deref<Target = Application> + Send + Sync + Sized + 'static {
    /// The stored name of the application: tables, tracking and prefixes of the environment hang on it.
    const NAME: &'static str;

    /// Whether the application only keeps events, or follows others too.
    const ROLE: Role;
}

/// An application that a system can make by itself: one without fields of its own.
///
/// `#[application]`, `#[process_application]` and `#[projection]` on such a struct implement it; never implement it yourself.
#[diagnostic::on_unimplemented(
    message = "a system cannot make `{Self}` by itself",
    label = "needs `#[application]`, `#[process_application]` or `#[projection]` on `struct {Self}`",
    note = "an application with fields of its own is made by a closure: `{Self} = |env| {Self}::new(env, ..)`",
    note = "if it is an aggregate, name the application that saves it"
)]
pub trait FromEnv: Leader {
    /// Opens the application.
    ///
    /// # Errors
    /// When the environment is wrong, or the store cannot be opened.
    fn from_env(env: Env) -> Result<Self>;
}
