//! Private: what generated code calls. It may change in any release; do not use it.

pub use std::ops::FnOnce;

pub use es_core::__private::*;

pub use es_store::Role;

pub use crate::application::aggregates::Visitor;
pub use crate::application::kinds::{ApplicationType, FromEnv, MadeByTheAttribute};
pub use crate::error::BoxError;
pub use crate::policy::context::Collecting;
pub use crate::policy::kinds::FollowerType;
pub use crate::policy::table::{KindOf, Policies};
pub use crate::projection::InTables;
pub use crate::system::node::{Node, Pipes};

use crate::application::Application;
use crate::error::Result as SystemResult;
use crate::policy::undecoded_event::UndecodedEvent;
use crate::projection;
use crate::projection::Projection;
use es_core::DomainEvent;
use es_store::{Env, Transaction};

/// Opens the application of `A`, around which `A` puts its own fields.
///
/// # Errors
/// When the environment is wrong, or the store cannot be opened.
pub fn open<A: ApplicationType>(env: Env) -> SystemResult<Application> {
    Application::open(A::NAME, A::ROLE, env)
}

/// Opens a projection, and makes its tables if they are missing.
///
/// # Errors
/// When the environment is wrong, the store cannot be opened, or the tables cannot be made.
pub fn open_projection<A: Projection>(env: Env) -> SystemResult<Application> {
    projection::open::<A>(env)
}

/// Reads the tables of a projection.
pub fn read<T>(
    application: &Application,
    work: impl FnOnce(&mut Transaction<'_>) -> SystemResult<T>,
) -> SystemResult<T> {
    projection::read(application, work)
}

/// The struct half of a projection.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no projection",
    label = "needs `#[projection]` on `struct {Self}`"
)]
pub trait ProjectionStruct {}

/// Fails to compile, on the user's impl block, when the struct half is that of another kind of application.
pub const fn assert_has_struct<A: ProjectionStruct>() {}

/// Fails to compile, on the user's struct, when the impl half is missing.
pub const fn assert_has_policies<A: FollowerType>() {}

/// Fails to compile, on the user's impl block, when the struct half is that of an application that only leads.
pub const fn assert_follows(role: Role) {
    assert!(
        matches!(role, Role::Follower),
        "an application with policies needs `#[process_application]` on its struct, not `#[application]`"
    );
}

/// The event that a policy takes, which must be of the kind that it follows.
#[diagnostic::on_unimplemented(
    message = "this policy follows `{P}`, but its method takes `&{Self}`",
    label = "write `&DomainEvent<{P}>`"
)]
pub trait PolicyEvent<P> {
    /// The event as the method takes it.
    fn of(event: &DomainEvent<P>) -> &Self;
}

impl<P> PolicyEvent<P> for DomainEvent<P> {
    fn of(event: &DomainEvent<P>) -> &Self {
        event
    }
}

/// The undecoded event that a policy for everything else takes.
#[diagnostic::on_unimplemented(
    message = "this policy follows everything else, but its method takes `&{Self}`",
    label = "write `&UndecodedEvent`"
)]
pub trait RestEvent {
    /// The event as the method takes it.
    fn of(event: &UndecodedEvent) -> &Self;
}

impl RestEvent for UndecodedEvent {
    fn of(event: &UndecodedEvent) -> &Self {
        event
    }
}

/// One kind of event, among others of its aggregate.
pub fn one_of<E, P: EventPayload>(kind: EventKind<E, P>) -> KindOf<E> {
    KindOf::new(kind.topic())
}

/// What a policy returns.
#[diagnostic::on_unimplemented(
    message = "a policy returns `Result<()>`, not `{Self}`",
    label = "write `-> Result<()>`, and end the body with `Ok(())`",
    note = "the error is any that can be boxed: one that implements `std::error::Error`, or a text"
)]
pub trait PolicyResult {
    /// The result, with its error boxed.
    ///
    /// # Errors
    /// What the policy returned.
    fn into_result(self) -> Result<(), BoxError>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> PolicyResult for Result<(), E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

/// What `tables` returns.
#[diagnostic::on_unimplemented(
    message = "`tables` returns `Result<()>`, not `{Self}`",
    label = "write `-> Result<()>`, and end the body with `Ok(())`"
)]
pub trait TablesResult {
    /// The result, with its error boxed.
    ///
    /// # Errors
    /// What `tables` returned.
    fn into_result(self) -> Result<(), BoxError>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> TablesResult for Result<(), E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}
