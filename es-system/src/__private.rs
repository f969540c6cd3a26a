//! Private: the names that generated code uses. They may change in any release; do not use them.

pub use std::ops::FnOnce;

pub use es_core::__private::*;

pub use es_store::Role;

pub use crate::application::aggregates::Visitor;
pub use crate::application::kinds::{ApplicationType, FromEnv, MadeByTheAttribute};
pub use crate::application::saved_aggregate::SavedAggregate;
pub use crate::error::BoxError;
pub use crate::policy::begin::Begin;
pub use crate::policy::context::Collecting;
pub use crate::policy::kinds::FollowerType;
pub use crate::policy::on_error::{OnError, Retry, Then, backoff};
pub use crate::policy::policy_set::Added;
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

/// Opens the application of `A`, to which `A` adds its own fields.
///
/// # Errors
/// Fails if the environment is wrong or the store cannot be opened.
pub fn open<A: ApplicationType>(env: Env) -> SystemResult<Application> {
    let topics = |saved: &[SavedAggregate]| saved.iter().map(|one| one.topic).collect();
    Ok(Application::open(A::NAME, A::ROLE, env)?.saving_only(A::__AGGREGATES.map(topics)))
}

/// Opens a projection, and creates its tables if they are missing.
///
/// # Errors
/// Fails if the environment is wrong, the store cannot be opened, or the tables cannot be created.
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

/// Fails to compile, on the user's impl block, if the struct half is that of another kind of
/// application.
pub const fn assert_has_struct<A: ProjectionStruct>() {}

/// Fails to compile, on the user's struct, if the impl half is missing.
pub const fn assert_has_policies<A: FollowerType>() {}

/// The struct half of an application that follows others.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has policies, and its struct is not that of an application that follows others",
    label = "needs `#[process_application]` on `struct {Self}`, not `#[application]`"
)]
pub trait FollowerStruct {}

/// Fails to compile, on the user's impl block, if the struct half is that of an application that
/// does not follow others.
pub const fn assert_follows<A: FollowerStruct>() {}

/// The argument type of a policy, which must be the kind of event that the policy follows.
#[diagnostic::on_unimplemented(
    message = "this policy follows `{P}`, but its method takes `&{Self}`",
    label = "write `&DomainEvent<{P}>`"
)]
pub trait PolicyEvent<P> {
    /// Returns the event in the form in which the method takes it.
    fn of(event: &DomainEvent<P>) -> &Self;
}

impl<P> PolicyEvent<P> for DomainEvent<P> {
    fn of(event: &DomainEvent<P>) -> &Self {
        event
    }
}

/// The argument type of a policy for all other events, which are not decoded.
#[diagnostic::on_unimplemented(
    message = "this policy follows everything else, but its method takes `&{Self}`",
    label = "write `&UndecodedEvent`"
)]
pub trait RestEvent {
    /// Returns the event in the form in which the method takes it.
    fn of(event: &UndecodedEvent) -> &Self;
}

impl RestEvent for UndecodedEvent {
    fn of(event: &UndecodedEvent) -> &Self {
        event
    }
}

/// Returns a kind of event as one of several of its aggregate.
pub fn one_of<E, P: EventPayload>(kind: EventKind<E, P>) -> KindOf<E> {
    KindOf::new(kind.topic())
}

/// The return type of a policy.
#[diagnostic::on_unimplemented(
    message = "a policy returns `Result<()>`, not `{Self}`",
    label = "write `-> Result<()>`, and end the body with `Ok(())`",
    note = "the error is any that a `Box<dyn Error + Send + Sync>` takes: one of your own, a boxed one, or a text"
)]
pub trait PolicyResult {
    /// Returns the result with its error boxed.
    ///
    /// # Errors
    /// Returns the error of the policy.
    fn into_result(self) -> Result<(), BoxError>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> PolicyResult for Result<(), E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

/// The return type of `tables`.
#[diagnostic::on_unimplemented(
    message = "`tables` returns `Result<()>`, not `{Self}`",
    label = "write `-> Result<()>`, and end the body with `Ok(())`"
)]
pub trait TablesResult {
    /// Returns the result with its error boxed.
    ///
    /// # Errors
    /// Returns the error of `tables`.
    fn into_result(self) -> Result<(), BoxError>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> TablesResult for Result<(), E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}
