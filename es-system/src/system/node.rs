//! The applications of a system, before they are opened.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use crate::policy::{self, Dispatch};
use crate::{Application, Env, Follower, Leader, Result, Role};

/// The pipes of a system, as [`pipes!`](crate::pipes) makes them.
#[derive(Debug, Clone)]
pub struct Pipes(Vec<Vec<Node>>);

impl Pipes {
    /// Pipes of these nodes.
    pub fn new(pipes: Vec<Vec<Node>>) -> Self {
        Self(pipes)
    }

    pub(crate) fn into_vec(self) -> Vec<Vec<Node>> {
        self.0
    }
}

/// An application of a system: its name, and how it is opened.
#[derive(Clone)]
pub struct Node {
    name: &'static str,
    type_id: TypeId,
    role: Role,
    open: Arc<dyn Fn(Env) -> Result<Opened> + Send + Sync>,
}

/// An application object of a running system.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) type_id: TypeId,
    /// The user's application, of that type, in an `Arc`.
    pub(crate) object: Arc<dyn Any + Send + Sync>,
    pub(crate) application: Application,
    pub(crate) policies: Option<Arc<dyn Dispatch>>,
}

impl Node {
    /// The first application of a pipe, which need not follow.
    pub fn leader<A: Leader>() -> Self {
        let open = |env| {
            let (application, object) = open_application::<A>(env)?;
            Ok(Opened {
                type_id: TypeId::of::<A>(),
                object,
                application,
                policies: None,
            })
        };
        Self {
            name: A::NAME,
            type_id: TypeId::of::<A>(),
            role: Role::Leader,
            open: Arc::new(open),
        }
    }

    /// A later application of a pipe, which follows the one in front of it.
    pub fn follower<A: Follower>() -> Self {
        let open = |env| {
            let (application, object) = open_application::<A>(env)?;
            let policies = Some(policy::bind(object.clone())?);
            Ok(Opened {
                type_id: TypeId::of::<A>(),
                object,
                application,
                policies,
            })
        };
        Self {
            name: A::NAME,
            type_id: TypeId::of::<A>(),
            role: Role::Follower,
            open: Arc::new(open),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.type_id == other.type_id
    }

    pub(crate) fn open(&self, env: Env) -> Result<Opened> {
        (self.open)(env)
    }
}

fn open_application<A: Leader>(env: Env) -> Result<(Application, Arc<A>)> {
    let application = Application::open(A::NAME, A::ROLE, env)?;
    Ok((
        application.clone(),
        Arc::new(A::__from_application(application)),
    ))
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// The pipes of a system: `pipes![[A, B], [B, C]]`. Each application of a pipe but the first follows the
/// one in front of it, so it must be a `#[process_application]`.
#[macro_export]
macro_rules! pipes {
    ($([$first:ty $(, $next:ty)* $(,)?]),* $(,)?) => {
        $crate::Pipes::new(::std::vec![$(
            ::std::vec![
                $crate::Node::leader::<$first>(),
                $($crate::Node::follower::<$next>(),)*
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
