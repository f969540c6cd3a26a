//! Private: what generated code calls. It may change in any release; do not use it.

pub use es_core::__private::*;

pub use crate::aggregates::Visitor;
pub use crate::error::BoxError;
pub use crate::policy::Policies;

use crate::error::Result as SystemResult;
use crate::{Application, DomainEvent, Env, Follower, Leader, Role};

/// Opens an application.
pub fn open<A: Leader>(env: Env) -> SystemResult<A> {
    Ok(A::__from_application(Application::open(
        A::NAME,
        A::ROLE,
        env,
    )?))
}

/// Fails to compile, on the user's struct, when the impl half is missing.
pub const fn assert_has_policies<A: Follower>() {}

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
