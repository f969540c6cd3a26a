//! The traits by which a system knows the applications of a user.

use std::ops::Deref;

use es_store::{Env, Role};

use crate::application::core::Application;
use crate::application::saved_aggregate::SavedAggregate;
use crate::error::Result;

/// Seals [`ApplicationType`]. Only generated code names it.
#[derive(Debug)]
pub struct MadeByTheAttribute;

/// An application that can be a node of a system, and be followed.
///
/// `#[application]`, `#[process_application]` and `#[projection]` on a struct implement it; it
/// cannot be implemented by hand. Use it as the bound of code for any application. It holds the
/// stored name: `DogSchool::NAME`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an application",
    label = "needs `#[application]`, `#[process_application]` or `#[projection]` on `struct {Self}`",
    note = "if it is an aggregate, name the application that saves it"
)]
pub trait ApplicationType: Deref<Target = Application> + Send + Sync + Sized + 'static {
    /// The stored name of the application. Tables, tracking and keys of the environment are named
    /// after it.
    const NAME: &'static str;

    /// The role of the application: it only keeps events, or it also follows others.
    #[doc(hidden)]
    const ROLE: Role;

    /// The aggregates that the application saves; `None` if they are not listed.
    #[doc(hidden)]
    const __AGGREGATES: Option<&'static [SavedAggregate]> = None;

    /// The seal of the trait, whose type is in the hidden module.
    #[doc(hidden)]
    const __MADE_BY_THE_ATTRIBUTE: MadeByTheAttribute;
}

/// An application without fields of its own, which a system can open by itself.
///
/// `#[application]`, `#[process_application]` and `#[projection]` on such a struct implement it.
#[diagnostic::on_unimplemented(
    message = "a system cannot make `{Self}` by itself",
    label = "needs `#[application]`, `#[process_application]` or `#[projection]` on `struct {Self}`",
    note = "an application with fields of its own is made by a closure: `{Self} = |env| {Self}::new(env, ..)`",
    note = "if it is an aggregate, name the application that saves it"
)]
pub trait FromEnv: ApplicationType {
    /// Opens the application.
    ///
    /// # Errors
    /// Fails if the environment is wrong or the store cannot be opened.
    fn from_env(env: Env) -> Result<Self>;
}
