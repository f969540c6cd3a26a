//! The applications of a system, before they are opened.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use crate::application::kinds::FromEnv;
use crate::application::saved_aggregate::SavedAggregate;
use crate::application::{Application, ApplicationType};
use crate::error::Result;
use crate::policy::kinds::{Bind, FollowerType};
use crate::policy::table::FollowedEvent;
use crate::policy::work::Work;
#[cfg(feature = "cli")]
use crate::projection::InTables;
use es_store::{Env, Role};

/// The pipes of a system, created by [`pipes!`](crate::pipes).
#[derive(Debug, Clone)]
pub struct Pipes(Vec<Vec<Node>>);

impl Pipes {
    /// Creates pipes of these nodes.
    pub fn new(pipes: Vec<Vec<Node>>) -> Self {
        Self(pipes)
    }

    pub(crate) fn into_vec(self) -> Vec<Vec<Node>> {
        self.0
    }
}

/// An application of a system: its name, and the function that opens it.
#[derive(Clone)]
pub struct Node {
    name: &'static str,
    type_id: TypeId,
    role: Role,
    /// The role in which its store is opened.
    #[cfg(feature = "cli")]
    store_role: Role,
    #[cfg(feature = "cli")]
    is_projection: bool,
    /// The aggregates that it saves; `None` if they are not listed.
    saved: Option<&'static [SavedAggregate]>,
    /// Returns the events that have a policy.
    followed: fn() -> Vec<FollowedEvent>,
    open: Arc<dyn Fn(Env) -> Result<Opened> + Send + Sync>,
}

/// An application object of a running system.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) type_id: TypeId,
    /// The user's application in an `Arc`; its type is `type_id`.
    pub(crate) object: Arc<dyn Any + Send + Sync>,
    pub(crate) application: Application,
    pub(crate) work: Option<Work>,
}

impl Node {
    /// Returns the first application of a pipe, which need not follow.
    pub fn leader<A: FromEnv>() -> Self {
        Self::leader_with(A::from_env)
    }

    /// Returns the first application of a pipe, opened by `open`:
    /// `|env| School::new(env, mailer.clone())`.
    pub fn leader_with<A: ApplicationType>(
        open: impl Fn(Env) -> Result<A> + Send + Sync + 'static,
    ) -> Self {
        Self::new::<A>(Role::Leader, Vec::new, move |env| {
            Ok(Opened::new(Arc::new(open(env)?), None))
        })
    }

    /// Returns a later application of a pipe, which follows the one before it.
    pub fn follower<A: FollowerType + FromEnv>() -> Self {
        Self::follower_with(A::from_env)
    }

    /// Returns a later application of a pipe, which follows the one before it, opened by `open`.
    pub fn follower_with<A: FollowerType>(
        open: impl Fn(Env) -> Result<A> + Send + Sync + 'static,
    ) -> Self {
        let followed = || A::policies().into_followed();
        let node = Self::new::<A>(Role::Follower, followed, move |env| {
            let object = Arc::new(open(env)?);
            let work = A::Context::bind(object.clone())?;
            Ok(Opened::new(object, Some(work)))
        });
        #[cfg(feature = "cli")]
        let node = Self {
            is_projection: TypeId::of::<A::Context>() == TypeId::of::<InTables>(),
            ..node
        };
        node
    }

    fn new<A: ApplicationType>(
        role: Role,
        followed: fn() -> Vec<FollowedEvent>,
        open: impl Fn(Env) -> Result<Opened> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: A::NAME,
            type_id: TypeId::of::<A>(),
            role,
            #[cfg(feature = "cli")]
            store_role: A::ROLE,
            #[cfg(feature = "cli")]
            is_projection: false,
            saved: A::__AGGREGATES,
            followed,
            open: Arc::new(open),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    /// Returns the role in which the store of the application is opened.
    #[cfg(feature = "cli")]
    pub(crate) fn store_role(&self) -> Role {
        self.store_role
    }

    #[cfg(feature = "cli")]
    pub(crate) fn is_projection(&self) -> bool {
        self.is_projection
    }

    /// Returns the aggregates that the application saves, or `None` if they are not listed.
    pub(crate) fn saved(&self) -> Option<&'static [SavedAggregate]> {
        self.saved
    }

    /// Returns the events that have a policy, in the order of the policies.
    pub(crate) fn followed(&self) -> Vec<FollowedEvent> {
        (self.followed)()
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.type_id == other.type_id
    }

    pub(crate) fn open(&self, env: Env) -> Result<Opened> {
        (self.open)(env)
    }
}

impl Opened {
    fn new<A: ApplicationType>(object: Arc<A>, work: Option<Work>) -> Self {
        Self {
            type_id: TypeId::of::<A>(),
            application: Application::clone(&object),
            object,
            work,
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Creates the pipes of a system: `pipes![[A, B], [B, C]]`. Each application of a pipe except the
/// first follows the one before it, so it must be a `#[process_application]`.
///
/// An application with fields of its own comes with the closure that creates it. Each runner calls
/// the closure once, so it clones the values that it passes on:
///
/// ```
/// use es_system::prelude::*;
/// # #[derive(Clone)]
/// # pub struct Mailer;
/// # #[aggregate]
/// # pub struct Dog {}
/// # #[aggregate]
/// # impl Dog {
/// #     #[event(Registered)]
/// #     pub fn register() -> Self { Self {} }
/// # }
/// # #[process_application]
/// # pub struct Counters;
/// # #[process_application]
/// # impl Counters {
/// #     #[policy(Dog::Registered)]
/// #     fn count(
/// #         &self,
/// #         _: &DomainEvent<DogRegistered>,
/// #         _: &mut ProcessingEvent,
/// #     ) -> Result<()> {
/// #         Ok(())
/// #     }
/// # }
///
/// #[application]
/// pub struct School {
///     mailer: Mailer,
/// }
///
/// # let mailer = Mailer;
/// let open = move |env| School::new(env, mailer.clone());
/// let system = System::new(pipes![[School = open, Counters]])?;
/// # assert_eq!(system.nodes(), ["School", "Counters"]);
/// # SingleThreadedRunner::new(&system, Env::new())?.start()?;
/// # Ok::<(), Error>(())
/// ```
///
/// If an application is in several pipes, give the same closure in each; only one of them is used.
#[macro_export]
macro_rules! pipes {
    ($([$first:ty $(= $open_first:expr)? $(, $next:ty $(= $open_next:expr)?)* $(,)?]),* $(,)?) => {
        $crate::__private::Pipes::new(::std::vec![$(
            ::std::vec![
                $crate::__node!(leader, leader_with, $first $(, $open_first)?),
                $($crate::__node!(follower, follower_with, $next $(, $open_next)?),)*
            ],
        )*])
    };
    ($($application:ty),+ $(,)?) => {
        ::std::compile_error!("each pipe has brackets of its own: write `pipes![[A, B], [B, C]]`")
    };
    ($($other:tt)*) => {
        ::std::compile_error!(
            "a pipe is a list of applications, each of which follows the one in front of it: write `pipes![[A, B], [B, C]]`"
        )
    };
}

/// Expands to a node of a pipe, with the closure that creates it if one was given.
#[doc(hidden)]
#[macro_export]
macro_rules! __node {
    ($node:ident, $node_with:ident, $application:ty) => {
        $crate::__private::Node::$node::<$application>()
    };
    ($node:ident, $node_with:ident, $application:ty, $open:expr) => {
        $crate::__private::Node::$node_with::<$application>($open)
    };
}
