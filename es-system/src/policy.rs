//! Policies: which method of a process application handles which event.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use es_core::{
    __private::panic_message, Aggregate, DomainEvent, EventKind, EventPayload, EventSet,
};
use es_store::{Decoded, Notification};

use crate::error::BoxError;
use crate::projection::{MakeTables, Project};
use crate::topics::Topics;
use crate::{Application, Error, Leader, ProcessingEvent, Result, UndecodedEvent};

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
    /// The topics of the events that it wants, sorted; `None` is all.
    pub(crate) fn topics(&self) -> Option<Arc<[String]>> {
        match self {
            Self::Policies(policies) => policies.topics(),
            Self::Projection(projection) => projection.topics(),
        }
    }
}

/// The dispatch table from the topics of events to the policies of the application `A`.
///
/// The topics are the filter with which the log is read, unless a policy takes everything else: so what has no entry is never
/// decoded.
pub struct Policies<A, C: Context = Collecting> {
    handlers: HashMap<&'static str, Handler<A, C>>,
    rest: Option<Handler<A, C>>,
    topics: Topics,
    problems: Vec<String>,
    /// What makes the tables that they change, if they do.
    pub(crate) tables: Option<MakeTables>,
}

type Handler<A, C> = Arc<
    dyn Fn(&A, &Received<'_>, &mut <C as Context>::Of<'_>) -> Result<(), BoxError> + Send + Sync,
>;

/// An event of an upstream.
pub struct Received<'a> {
    pub(crate) notification: &'a Notification,
    pub(crate) upstream: &'a Application,
}

impl Received<'_> {
    fn payload<P: EventPayload>(&self) -> Result<DomainEvent<P>, BoxError> {
        let decoded = self
            .upstream
            .mapper()
            .decode_payload::<P>(self.notification);
        Ok(self.event(decoded?))
    }

    fn one_of<S: EventSet>(&self) -> Result<DomainEvent<S>, BoxError> {
        let decoded = self.upstream.mapper().decode::<S>(self.notification);
        Ok(self.event(decoded?))
    }

    fn event<P>(&self, decoded: Decoded<P>) -> DomainEvent<P> {
        let event = self.notification;
        DomainEvent::new(
            event.originator_id.clone(),
            event.originator_version,
            decoded.timestamp,
            event.id,
            decoded.payload,
        )
    }
}

/// One kind of event of the aggregate `E`, whatever its payload.
pub struct KindOf<E> {
    topic: &'static str,
    of: PhantomData<fn() -> E>,
}

impl<E> KindOf<E> {
    pub(crate) fn new(topic: &'static str) -> Self {
        Self {
            topic,
            of: PhantomData,
        }
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
            rest: None,
            topics: Topics::default(),
            problems: Vec::new(),
            tables,
        }
    }

    /// The topics that have a policy, sorted; `None` if a policy takes everything else.
    pub(crate) fn topics(&self) -> Option<Arc<[String]>> {
        if self.rest.is_some() {
            return None;
        }
        let mut topics: Vec<_> = self.handlers.keys().map(|&t| t.to_owned()).collect();
        topics.sort_unstable();
        Some(topics.into())
    }

    /// Runs the policy for one event, if there is one. A panic of it is an error.
    pub(crate) fn run(
        &self,
        application: &A,
        received: &Received<'_>,
        context: &mut C::Of<'_>,
    ) -> Result<(), BoxError> {
        let handler = self.handlers.get(&*received.notification.topic);
        let Some(handler) = handler.or(self.rest.as_ref()) else {
            return Ok(());
        };
        let call = || handler(application, received, context);
        catch_unwind(AssertUnwindSafe(call))
            .unwrap_or_else(|panic| Err(format!("panicked: {}", panic_message(panic)).into()))
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
        self.insert::<E>([kind.topic()], move |application, received, processing| {
            handler(application, &received.payload::<P>()?, processing)
        });
    }

    /// The events of all of `kinds`, which are of one aggregate, are handled by `handler`.
    pub fn on_several<E: Aggregate>(
        &mut self,
        kinds: impl IntoIterator<Item = KindOf<E>>,
        handler: impl Fn(&A, &DomainEvent<E::Event>, &mut C::Of<'_>) -> Result<(), BoxError>
        + Send
        + Sync
        + 'static,
    ) {
        let topics = kinds.into_iter().map(|kind| kind.topic);
        self.insert::<E>(topics, move |application, received, processing| {
            handler(application, &received.one_of::<E::Event>()?, processing)
        });
    }

    /// All events of the aggregate `E` are handled by `handler`.
    pub fn on_all<E: Aggregate>(
        &mut self,
        handler: impl Fn(&A, &DomainEvent<E::Event>, &mut C::Of<'_>) -> Result<(), BoxError>
        + Send
        + Sync
        + 'static,
    ) {
        let kinds = E::Event::TOPICS.iter().copied().map(KindOf::<E>::new);
        self.on_several(kinds, handler);
    }

    /// Every event without an entry is handled by `handler`.
    pub fn on_rest(
        &mut self,
        handler: impl Fn(&A, &UndecodedEvent, &mut C::Of<'_>) -> Result<(), BoxError>
        + Send
        + Sync
        + 'static,
    ) {
        let handler: Handler<A, C> = Arc::new(move |application, received, processing| {
            let event = UndecodedEvent::new(received.upstream, received.notification);
            handler(application, &event, processing)
        });
        if self.rest.replace(handler).is_some() {
            self.problems
                .push("two policies handle everything else: let one of them call both".to_owned());
        }
    }

    fn insert<E: Aggregate>(
        &mut self,
        topics: impl IntoIterator<Item = &'static str>,
        handler: impl Fn(&A, &Received<'_>, &mut C::Of<'_>) -> Result<(), BoxError>
        + Send
        + Sync
        + 'static,
    ) {
        self.problems.extend(self.topics.claim::<E>().err());
        let handler: Handler<A, C> = Arc::new(handler);
        for topic in topics {
            if self.handlers.insert(topic, handler.clone()).is_some() {
                self.problems.push(format!(
                    "two policies handle `{topic}`: let one of them call both"
                ));
            }
        }
    }
}

/// The policies of one application object.
pub trait Dispatch: Send + Sync {
    /// The topics that have a policy, sorted; `None` if a policy takes everything else.
    fn topics(&self) -> Option<Arc<[String]>>;

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
    fn topics(&self) -> Option<Arc<[String]>> {
        self.policies.topics()
    }

    fn dispatch(
        &self,
        received: &Received<'_>,
        mut processing_event: ProcessingEvent,
    ) -> Result<(), BoxError> {
        self.policies
            .run(&self.application, received, &mut processing_event)?;
        Ok(processing_event.refused()?)
    }
}
