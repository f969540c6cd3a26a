//! Policies: which method of a process application handles which event.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use es_core::{__private::panic_message, Aggregate, DomainEvent, EventKind, EventPayload};
use es_store::{Mapper, Notification};

use crate::error::BoxError;
use crate::topics::Topics;
use crate::{Error, Leader, ProcessingEvent, Result};

/// An application that can follow others: it has policies for their events.
///
/// `#[process_application]` on a struct and on its impl block implements it; never implement it yourself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot follow: it has no policies",
    label = "needs `#[process_application]` on `struct {Self}` and on `impl {Self}`",
    note = "the first application of a pipe only leads, each later one follows the one in front of it",
    note = "if it is an aggregate, name the application that saves it"
)]
pub trait Follower: Leader {
    /// The dispatch table from events to the methods that handle them.
    #[doc(hidden)]
    fn policies() -> Policies<Self>;
}

/// The dispatch table from the topics of events to the policies of the application `A`.
///
/// An event without an entry is never decoded; the topics are the filter with which the log is read.
pub struct Policies<A> {
    handlers: HashMap<&'static str, Handler<A>>,
    topics: Topics,
    problems: Vec<String>,
}

type Handler<A> =
    Box<dyn Fn(&A, &Received<'_>, &mut ProcessingEvent) -> Result<(), BoxError> + Send + Sync>;

/// An event of an upstream, and what decodes it.
pub(crate) struct Received<'a> {
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
        Self {
            handlers: HashMap::new(),
            topics: Topics::default(),
            problems: Vec::new(),
        }
    }

    /// The events of kind `kind` are handled by `handler`.
    pub fn on<E: Aggregate, P: EventPayload>(
        &mut self,
        kind: EventKind<E, P>,
        handler: impl Fn(&A, &DomainEvent<P>, &mut ProcessingEvent) -> Result<(), BoxError>
        + Send
        + Sync
        + 'static,
    ) {
        self.problems.extend(self.topics.claim::<E>().err());
        let decode_and_handle: Handler<A> =
            Box::new(move |application, received, processing_event| {
                handler(application, &received.decode::<P>()?, processing_event)
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
pub(crate) trait Dispatch: Send + Sync {
    /// The topics that have a policy, sorted.
    fn topics(&self) -> Arc<[String]>;

    /// Runs the policy for one event. A panic of it is an error.
    fn dispatch(
        &self,
        received: &Received<'_>,
        processing_event: ProcessingEvent,
    ) -> Result<(), BoxError>;
}

/// Binds the policies of `A` to an application object.
pub(crate) fn bind<A: Follower>(application: Arc<A>) -> Result<Arc<dyn Dispatch>> {
    let policies = A::policies();
    match policies.problems.first() {
        None => Ok(Arc::new(BoundPolicies {
            application,
            policies,
        })),
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
        let mut topics: Vec<_> = self
            .policies
            .handlers
            .keys()
            .map(|&t| t.to_owned())
            .collect();
        topics.sort_unstable();
        topics.into()
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
