//! The trait of applications that follow others.

use std::sync::Arc;

use crate::application::ApplicationType;
use crate::error::Result;
use crate::policy::context::Context;
use crate::policy::table::Policies;
use crate::policy::work::Work;

/// An application that can follow others, because it has policies for their events.
///
/// `#[process_application]` on a struct and on its impl block implements it. It cannot be
/// implemented by hand, because only generated code makes a dispatch table.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot follow: it has no policies",
    label = "needs `#[process_application]` on `struct {Self}` and on `impl {Self}`",
    note = "the first application of a pipe only leads, each later one follows the one in front of it",
    note = "if it is an aggregate, name the application that saves it"
)]
pub trait FollowerType: ApplicationType {
    /// The context of its policies: a processing event or a transaction.
    #[doc(hidden)]
    type Context: Bind;

    /// Returns the dispatch table from events to the methods that handle them.
    #[doc(hidden)]
    fn policies() -> Policies<Self, Self::Context>;
}

/// Policies that can be bound to an application object.
pub trait Bind: Context {
    /// Binds the policies of `A` to an application object.
    ///
    /// # Errors
    /// Fails if the policies conflict with each other, or if their context cannot be made.
    fn bind<A: FollowerType<Context = Self>>(application: Arc<A>) -> Result<Work>;
}
