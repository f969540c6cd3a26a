//! Policies: which method of a process application handles which event.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use es_core::{__private::panic_message, Aggregate, DomainEvent, EventKind, EventPayload};
use es_store::{Mapper, Notification};

use crate::error::BoxError;
use crate::projection::{MakeTables, Project};
use crate::topics::Topics;
use crate::{Error, Leader, ProcessingEvent, Result};

/// An application that can follow others: it has policies for their events.
///
/// `#[process_application]` on a struct and on its impl block implements it; never implement it yourself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot follow: it has no policies",
    label = "needs `#[process_application]` on `struct {Self}` and on `impl {Self}`",
    note = "the first application of a pipe only leads, each later one follows the one in front of it"
)]
pub trait Follower: Leader {
    /// What its policies work on: a processing event, or a transaction.
    #[doc(hidden)]
    type Context: Context;

    /// The dispatch table from events to the methods that handle them.
    #[doc(hidden)]
    fn policies() -> Policies<Self, Self::Context>;
}

/// What policies work on.
pub trait Context: Sized + 'static {
    /// What is handed to each of them.
    type Of<'t>;

    /// Binds the policies of `A` to an application object.
    ///
    /// # Errors
    /// When they do not fit together, or what they work on cannot be made.
    fn bind<A: Follower<Context = Self>>(application: Arc<A>) -> Result<Work>;
}

/// New events are collected.
pub struct Collecting;

impl Context for Collecting {
    type Of<'t> = ProcessingEvent;

    fn bind<A: Follower<Context = Self>>(application: Arc<A>) -> Result<Work> {
        let policies = checked(A::policies())?;
        Ok(Work::Policies(Arc::new(BoundPolicies {
            application,
            policies,
        })))
    }
}

/// What a follower does with events.
#[derive(Clone)]
pub enum Work {
    /// It collects new events.
    #[doc(hidden)]
    Policies(Arc<dyn Dispatch>),
    /// It changes tables.
    #[doc(hidden)]
    Projection(Arc<dyn Project>),
}

impl Work {
    /// The topics of the events that it wants, sorted.
    pub(crate) fn topics(&self) -> Arc<[String]> {
        match self {
            Self::Policies(policies) => policies.topics(),
            Self::Projection(projection) => projection.topics(),
        }
    }
}

/// The dispatch table from the topics of events to the policies of the application `A`.
///
/// An event without an entry is never decoded; the topics are the filter with which the log is read.
pub struct Policies<A, C: Context = Collecting> {
    pub(crate) handlers: HashMap<&'static str, Handler<A, C>>,
    topics: Topics,
    problems: Vec<String>,
    /// What makes the tables that they change, if they do.
    pub(crate) tables: Option<MakeTables>,
}

pub(crate) type Handler<A, C> = Box<
    dyn Fn(&A, &Received<'_>, &mut <C as Context>::Of<'_>) -> Result<(), BoxError> + Send + Sync,
>;

/// An event of an upstream, and what decodes it.
pub struct Received<'a> {
    pub(crate) notification: &'a Notification,
    pub(crate) mapper: &'a Mapper,
}

impl Received<'_> {
    fn decode<P: EventPayload>(&self) -> Result<DomainEvent<P>, BoxError> {
        let Notification {
            id: position,
            event,
        } = self.notification;
        let decoded = self.mapper.decode_payload::<P>(event)?;
        Ok(DomainEvent::new(
            event.originator_id.clone(),
            event.originator_version,
            decoded.timestamp,
            *position,
            decoded.payload,
        ))
    }
}

impl<A> Policies<A> {
    /// A table without entries.
    #[allow(clippy::new_without_default, reason = "only generated code makes one")]
    pub fn new() -> Self {
        Self::with(None)
    }
}

impl<A, C: Context> Policies<A, C> {
    pub(crate) fn with(tables: Option<MakeTables>) -> Self {
        Self {
            handlers: HashMap::new(),
            topics: Topics::default(),
            problems: Vec::new(),
            tables,
        }
    }

    /// The topics that have a policy, sorted.
    pub(crate) fn topics(&self) -> Arc<[String]> {
        let mut topics: Vec<_> = self.handlers.keys().map(|&t| t.to_owned()).collect();
        topics.sort_unstable();
        topics.into()
    }

    /// The events of kind `kind` are handled by `handler`.
    pub fn on<E: Aggregate, P: EventPayload>(
        &mut self,
        kind: EventKind<E, P>,
        handler: impl Fn(&A, &DomainEvent<P>, &mut C::Of<'_>) -> Result<(), BoxError>
        + Send
        + Sync
        + 'static,
    ) {
        self.problems.extend(self.topics.claim::<E>().err());
        let decode_and_handle: Handler<A, C> = Box::new(move |application, received, context| {
            handler(application, &received.decode::<P>()?, context)
        });
        if self
            .handlers
            .insert(kind.topic(), decode_and_handle)
            .is_some()
        {
            self.problems
                .push(format!("two policies handle `{}`", kind.topic()));
        }
    }
}

/// The policies of one application object.
pub trait Dispatch: Send + Sync {
    /// The topics that have a policy, sorted.
    fn topics(&self) -> Arc<[String]>;

    /// Runs the policy for one event. A panic of it is an error.
    fn dispatch(
        &self,
        received: &Received<'_>,
        processing_event: ProcessingEvent,
    ) -> Result<(), BoxError>;
}

/// The policies of `A`, if they fit together.
pub(crate) fn checked<A: Leader, C: Context>(policies: Policies<A, C>) -> Result<Policies<A, C>> {
    match policies.problems.first() {
        None => Ok(policies),
        Some(problem) => Err(Error::Configuration {
            application: A::NAME.to_owned(),
            problem: problem.clone(),
        }),
    }
}

struct BoundPolicies<A> {
    application: Arc<A>,
    policies: Policies<A>,
}

impl<A: Follower> Dispatch for BoundPolicies<A> {
    fn topics(&self) -> Arc<[String]> {
        self.policies.topics()
    }

    fn dispatch(
        &self,
        received: &Received<'_>,
        mut processing_event: ProcessingEvent,
    ) -> Result<(), BoxError> {
        let Some(handler) = self.policies.handlers.get(&*received.notification.topic) else {
            return Ok(());
        };
        let call = || handler(&self.application, received, &mut processing_event);
        catch_unwind(AssertUnwindSafe(call))
            .unwrap_or_else(|panic| Err(format!("panicked: {}", panic_message(panic)).into()))?;
        Ok(processing_event.refused()?)
    }
}
