//! The dispatch table from the topics of events to policies.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use es_core::__private::panic_message;
use es_core::{Aggregate, DomainEvent, EventKind, EventPayload, EventSet};
use es_store::TopicFilter;

use crate::application::saved_aggregate::SavedAggregate;
use crate::application::topics::Topics;
use crate::application::{Application, ApplicationType};
use crate::error::{BoxError, Error, Result};
use crate::policy::begin::Begin;
use crate::policy::context::{Collecting, Context};
use crate::policy::newer_event::NewerEvent;
use crate::policy::on_error::OnError;
use crate::policy::policy_set::{self, Added, DeclaredPolicies, DeclaredTopic};
use crate::policy::received::Received;
use crate::policy::rules::{DeclaredRules, Rules};
use crate::policy::undecoded_event::UndecodedEvent;

/// The dispatch table from the topics of events to the policies of the application `A`.
///
/// Its topics are the filter with which the log is read, unless a policy handles all other events.
/// So an event without an entry is never decoded. Of an aggregate that is followed as a whole, the
/// filter also selects the events that this program does not know. They are for a newer program and
/// are never passed over.
pub struct Policies<A, C: Context = Collecting> {
    handlers: HashMap<&'static str, Handler<A, C>>,
    rest: Option<Handler<A, C>>,
    /// The topics of the aggregates that are followed as a whole.
    aggregates: Vec<&'static str>,
    /// The events that have a policy, in the order of the policies.
    followed: Vec<FollowedEvent>,
    /// The topics by which the policies are recorded.
    set: DeclaredPolicies,
    /// The number of topics in the set before the last policy.
    before_last: usize,
    rules: DeclaredRules,
    begin: Begin,
    topics: Topics,
    problems: Vec<String>,
    /// The further data of the context.
    pub(crate) setup: C::Setup,
}

type Handler<A, C> = Arc<
    dyn Fn(&A, &Received<'_>, &mut <C as Context>::Of<'_>) -> Result<(), BoxError> + Send + Sync,
>;

/// An event that has a policy, by its stored name and that of its aggregate.
pub(crate) struct FollowedEvent {
    pub(crate) aggregate: SavedAggregate,
    pub(crate) topic: &'static str,
}

/// A kind of event of the aggregate `E`, with any payload.
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
    /// Returns a table without entries.
    #[allow(clippy::new_without_default, reason = "only generated code makes one")]
    pub fn new() -> Self {
        Self::with(())
    }
}

impl<A, C: Context> Policies<A, C> {
    pub(crate) fn with(setup: C::Setup) -> Self {
        Self {
            handlers: HashMap::new(),
            rest: None,
            aggregates: Vec::new(),
            followed: Vec::new(),
            set: DeclaredPolicies::default(),
            before_last: 0,
            rules: DeclaredRules::default(),
            begin: Begin::default(),
            topics: Topics::default(),
            problems: Vec::new(),
            setup,
        }
    }

    /// Returns the filter of the events that have a policy, or `None` if a policy handles all other
    /// events.
    pub(crate) fn topics(&self) -> Option<TopicFilter> {
        if self.rest.is_some() {
            return None;
        }
        let mut topics: Vec<_> = self.handlers.keys().copied().collect();
        topics.sort_unstable();
        Some(TopicFilter::new(topics).of_aggregates(self.aggregates.iter().copied()))
    }

    /// Runs the policy for one event, if there is one. A panic of the policy becomes an error.
    pub(crate) fn run(
        &self,
        application: &A,
        received: &Received<'_>,
        context: &mut C::Of<'_>,
    ) -> Result<(), BoxError> {
        let topic = &*received.notification.topic;
        let handler = match self.handlers.get(topic) {
            Some(handler) => handler,
            None => match (self.aggregate_of(topic), &self.rest) {
                (Some(aggregate), _) => return Err(NewerEvent::Kind { aggregate }.into()),
                (None, Some(rest)) => rest,
                (None, None) => return Ok(()),
            },
        };
        let call = || handler(application, received, context);
        catch_unwind(AssertUnwindSafe(call))
            .unwrap_or_else(|panic| Err(format!("panicked: {}", panic_message(panic)).into()))
    }

    /// Returns the topics by which the policies are recorded.
    pub(crate) fn set(&self) -> &DeclaredPolicies {
        &self.set
    }

    /// Returns the rules for events at which a policy fails.
    pub(crate) fn rules(&self, application: &Application) -> Result<Rules> {
        Rules::of(application, &self.set, &self.rules)
    }

    /// Returns the event with which a new follower begins.
    pub(crate) fn begin(&self) -> Begin {
        self.begin
    }

    /// Returns the events that have a policy, in the order of the policies.
    pub(crate) fn into_followed(self) -> Vec<FollowedEvent> {
        self.followed
    }

    /// Returns the topic of the aggregate of an event, if it is followed as a whole.
    fn aggregate_of(&self, topic: &str) -> Option<&'static str> {
        let (aggregate, _) = topic.rsplit_once('.')?;
        let mut all = self.aggregates.iter().copied();
        all.find(|followed| *followed == aggregate)
    }

    /// Has `handler` handle the events of kind `kind`.
    pub fn on<E: Aggregate, P: EventPayload>(
        &mut self,
        kind: EventKind<E, P>,
        handler: impl Fn(&A, &DomainEvent<P>, &mut C::Of<'_>) -> Result<(), BoxError>
        + Send
        + Sync
        + 'static,
    ) {
        self.declare([kind.topic().to_owned()]);
        self.insert::<E>([kind.topic()], move |application, received, processing| {
            handler(application, &received.payload::<P>()?, processing)
        });
    }

    /// Has `handler` handle the events of all of `kinds`, which belong to one aggregate.
    pub fn on_several<E: Aggregate>(
        &mut self,
        kinds: impl IntoIterator<Item = KindOf<E>>,
        handler: impl Fn(&A, &DomainEvent<E::Event>, &mut C::Of<'_>) -> Result<(), BoxError>
        + Send
        + Sync
        + 'static,
    ) {
        let topics: Vec<_> = kinds.into_iter().map(|kind| kind.topic).collect();
        self.declare(topics.iter().map(|&topic| topic.to_owned()));
        self.insert::<E>(topics, move |application, received, processing| {
            handler(application, &received.one_of::<E::Event>()?, processing)
        });
    }

    /// Has `handler` handle all events of the aggregate `E`. In front of an event of `E` that this
    /// program does not know, the follower waits for a newer program.
    pub fn on_all<E: Aggregate>(
        &mut self,
        handler: impl Fn(&A, &DomainEvent<E::Event>, &mut C::Of<'_>) -> Result<(), BoxError>
        + Send
        + Sync
        + 'static,
    ) {
        self.declare([policy_set::all_of::<E>()]);
        let topics = E::Event::TOPICS.iter().copied();
        self.insert::<E>(topics, move |application, received, processing| {
            handler(application, &received.one_of::<E::Event>()?, processing)
        });
        self.aggregates.push(E::TOPIC);
    }

    /// Has `handler` handle every event without an entry.
    pub fn on_rest(
        &mut self,
        handler: impl Fn(&A, &UndecodedEvent, &mut C::Of<'_>) -> Result<(), BoxError>
        + Send
        + Sync
        + 'static,
    ) {
        self.declare([policy_set::ALL.to_owned()]);
        let handler: Handler<A, C> = Arc::new(move |application, received, processing| {
            let event = UndecodedEvent::new(received);
            handler(application, &event, processing)
        });
        if self.rest.replace(handler).is_some() {
            self.problems
                .push("two policies handle everything else: let one of them call both".to_owned());
        }
    }

    /// Sets what becomes of the events that the last policy has missed, if it was added later.
    pub fn added(&mut self, rule: Added) {
        let last = self.set.declared.iter_mut().skip(self.before_last);
        last.for_each(|declared| declared.added = Some(rule));
    }

    /// Sets the rule for events at which the last policy fails.
    pub fn on_error(&mut self, rule: OnError) {
        let last = self.set.declared.iter().skip(self.before_last);
        let last = last.map(|declared| (declared.topic.clone(), rule));
        self.rules.own.extend(last);
    }

    /// Sets the rule of all policies that have none.
    pub fn on_error_of_all(&mut self, rule: OnError) {
        self.rules.default = Some(rule);
    }

    /// Sets the event with which a new follower begins.
    pub fn from(&mut self, begin: Begin) {
        self.begin = begin;
    }

    /// Tells that the policy for the events of kind `kind` was taken out.
    pub fn retired<E: Aggregate, P: EventPayload>(&mut self, kind: EventKind<E, P>) {
        self.set.retired.push(kind.topic().to_owned());
    }

    /// Tells that the policy for all events of the aggregate `E` was taken out.
    pub fn retired_all<E: Aggregate>(&mut self) {
        self.set.retired.push(policy_set::all_of::<E>());
    }

    /// Tells that the policy for every event without an entry was taken out.
    pub fn retired_rest(&mut self) {
        self.set.retired.push(policy_set::ALL.to_owned());
    }

    fn declare(&mut self, topics: impl IntoIterator<Item = String>) {
        let declared = &mut self.set.declared;
        self.before_last = declared.len();
        declared.extend(topics.into_iter().map(DeclaredTopic::new));
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
            self.followed.push(FollowedEvent {
                aggregate: SavedAggregate::of::<E>(),
                topic,
            });
            if self.handlers.insert(topic, handler.clone()).is_some() {
                self.problems.push(format!(
                    "two policies handle `{topic}`: let one of them call both"
                ));
            }
        }
    }
}

/// Returns the policies of `A`. Fails if they conflict with each other.
pub(crate) fn checked<A: ApplicationType, C: Context>(
    policies: Policies<A, C>,
) -> Result<Policies<A, C>> {
    match policies.problems.first() {
        None => Ok(policies),
        Some(problem) => Err(Error::configuration(A::NAME, problem)),
    }
}
