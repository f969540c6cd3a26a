//! Tests of the policies of a process application, written as events.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use es_core::{AggregateId, IdType, Timestamp, source};
use es_store::{NotificationQuery, Recording, Role, StoredEvent};

use super::clock::TestSource;
use super::events::{ComparedEvent, Encoder, Events, compare};
use crate::application::Application;
use crate::error::Result;
use crate::follower::Follower;
use crate::follower::status::Condition;
use crate::follower::step::{Next, Skips};
use crate::policy::context::Collecting;
use crate::policy::kinds::Bind;
use crate::policy::kinds::FollowerType;
use es_store::Env;

/// Begins a test of a process application, which follows an upstream in memory that has the events
/// of the test. Policies run, and their events are recorded, as under a runner. The environment of
/// the application must neither compress nor encrypt.
///
/// The clock starts at the beginning of 2024, unless the test has a [`Clock`](super::Clock) or runs
/// in [`with_source`](super::with_source). [`at`](PoliciesOf::at) sets it.
///
/// A projection collects no events, so it is tested in a system by the content of its tables: see
/// [`in_memory_with`](super::in_memory_with).
///
/// ```
/// # use es_system::prelude::*;
/// # #[aggregate]
/// # pub struct Dog {}
/// # #[aggregate]
/// # impl Dog {
/// #     #[event(Registered)]
/// #     pub fn register() -> Self { Self {} }
/// #     #[event(TrickAdded)]
/// #     pub fn add_trick(&mut self, trick: &str) {}
/// # }
/// # #[aggregate]
/// # pub struct Counter { count: u64 }
/// # #[aggregate]
/// # impl Counter {
/// #     #[id]
/// #     pub fn id_of(trick: &str) -> Uuid { Uuid::new_v5(&Uuid::NAMESPACE_URL, trick.as_bytes()) }
/// #     #[event(Created)]
/// #     pub fn new(trick: &str) -> Self { Self { count: 0 } }
/// #     #[event(Incremented)]
/// #     pub fn increment(&mut self) { self.count += 1; }
/// # }
/// # #[process_application]
/// # pub struct Counters;
/// # #[process_application]
/// # impl Counters {
/// #     #[policy(Dog::TrickAdded)]
/// #     fn count(
/// #         &self,
/// #         event: &DomainEvent<DogTrickAdded>,
/// #         processing_event: &mut ProcessingEvent,
/// #     ) -> Result<()> {
/// #         let counter = self.repository().find(Counter::id_of(&event.trick))?;
/// #         let mut counter = counter.unwrap_or_else(|| Counter::new(&event.trick));
/// #         counter.increment();
/// #         processing_event.collect_events(&mut counter);
/// #         Ok(())
/// #     }
/// # }
/// use es_system::testing::policies_of;
///
/// let billy = Uuid::from_u128(1);
/// let milly = Uuid::from_u128(2);
/// let sat = || [DogTrickAdded { trick: "sit".to_owned() }];
/// policies_of(Counters::new(Env::new())?)
///     .given(billy, [DogRegistered {}])
///     .when(billy, sat())
///     .then((CounterCreated { trick: "sit".to_owned() }, CounterIncremented {}))
///     .when(milly, sat())
///     .then([CounterIncremented {}]);
/// # Ok::<(), Error>(())
/// ```
pub fn policies_of<A: FollowerType<Context = Collecting>>(application: A) -> PoliciesOf<A> {
    let source = TestSource::with_fresh_ids();
    let application = Arc::new(application);
    application.compare_values();
    let upstreams = [("Upstream", "uuid"), ("UpstreamOfTexts", "text")].map(|(name, ids)| {
        let env = Env::new().with("ORIGINATOR_ID_TYPE", ids);
        Application::open(name, Role::Leader, env).expect("a store in memory")
    });
    let work = A::Context::bind(application.clone()).unwrap_or_else(|error| panic!("{error}"));
    let handle = Application::clone(&application);
    let follower = Follower::new(handle, upstreams.to_vec(), work);
    PoliciesOf {
        application,
        upstreams,
        follower,
        versions: HashMap::new(),
        made: Vec::new(),
        source,
    }
}

/// A process application under test. [`policies_of`] creates it.
pub struct PoliciesOf<A> {
    application: Arc<A>,
    /// The upstreams, one for each type of ids.
    upstreams: [Application; 2],
    follower: Follower,
    /// The number of events of each aggregate of the upstream.
    versions: HashMap<AggregateId, u64>,
    /// The events that the policies have made since the last `given` or `then`.
    made: Vec<StoredEvent>,
    source: TestSource,
}

impl<A: FollowerType> PoliciesOf<A> {
    /// Sets the clock to `time` for what follows: the times of the events of the upstream, and of
    /// those that the policies collect.
    #[track_caller]
    pub fn at(self, time: Timestamp) -> Self {
        self.source.move_to(time);
        self
    }

    /// Processes these events of an aggregate of the upstream, and ignores the events that the
    /// policies collect for them.
    ///
    /// # Panics
    /// Panics if a policy fails.
    #[track_caller]
    pub fn given(self, id: impl Into<AggregateId>, events: impl Events) -> Self {
        let mut processed = self.when(id, events);
        processed.made.clear();
        processed
    }

    /// Processes these new events of an aggregate of the upstream.
    ///
    /// # Panics
    /// Panics if a policy fails; use [`when_it_fails`](Self::when_it_fails) to expect that.
    #[track_caller]
    pub fn when(mut self, id: impl Into<AggregateId>, events: impl Events) -> Self {
        if let Err(error) = self.process(id.into(), events) {
            panic!("{error}");
        }
        self
    }

    /// Processes new events of which one fails in a policy, and passes the error to `look`. The
    /// events that were collected before it are recorded. The policies have stopped in front of the
    /// failed event, so only `then` can follow.
    ///
    /// # Panics
    /// Panics if no policy fails.
    #[track_caller]
    pub fn when_it_fails(
        mut self,
        id: impl Into<AggregateId>,
        events: impl Events,
        look: impl FnOnce(crate::Error),
    ) -> Self {
        match self.process(id.into(), events) {
            Ok(()) => panic!("no policy has failed"),
            Err(error) => look(error),
        }
        self
    }

    /// Asserts that the policies have collected exactly these events since `given` or the last
    /// `then`, whatever their aggregates. They are compared as they are stored, except for their
    /// times and the order of maps.
    ///
    /// # Panics
    /// Panics if the events differ, with both lists in the message.
    #[track_caller]
    pub fn then(mut self, events: impl Events) -> Self {
        let expected = Encoder::new("expected".into(), 0, source::now).all(events);
        compare(
            &ComparedEvent::of(&std::mem::take(&mut self.made)),
            &ComparedEvent::of(&expected),
        );
        self
    }

    /// Asserts that the policies have collected nothing since `given` or the last `then`.
    ///
    /// # Panics
    /// Panics if they have.
    #[track_caller]
    pub fn then_nothing(self) -> Self {
        self.then(())
    }

    /// Passes the application to `look`.
    pub fn and_the_application(self, look: impl FnOnce(&A)) -> Self {
        self.source.during(|| look(&self.application));
        self
    }

    fn process(&mut self, id: AggregateId, events: impl Events) -> Result<()> {
        let source = self.source.clone();
        source.during(|| self.process_now(id, events))
    }

    fn process_now(&mut self, id: AggregateId, events: impl Events) -> Result<()> {
        let upstream = match id.id_type() {
            IdType::Uuid => 0,
            IdType::Text => 1,
        };
        let version = self.versions.entry(id.clone()).or_default();
        let events = Encoder::new(id, *version, source::now).all(events);
        *version += events.len() as u64;
        self.upstreams[upstream].record(&Recording::new(events))?;
        let before = self.application.notification_log().head()?;
        let outcome = self.run(upstream);
        let new = NotificationQuery::after(before);
        let new = self.application.notification_log().query(&new)?;
        self.made.extend(new.into_iter().map(|made| made.event));
        outcome
    }

    fn run(&self, upstream: usize) -> Result<()> {
        let edge = &self.follower.edges()[upstream];
        loop {
            match edge.step(Instant::now(), Skips::Now, Timestamp::now()).next {
                Next::AtOnce => {}
                Next::NotBefore(at) if at <= Instant::now() => {}
                Next::WhenPrompted { .. } | Next::NotBefore(_) | Next::Never => break,
            }
        }
        match edge.condition() {
            Condition::Running
            | Condition::NotRunning
            | Condition::Overdue { .. }
            | Condition::Paused { .. } => Ok(()),
            Condition::Retrying { error, .. }
            | Condition::Waiting { error, .. }
            | Condition::WaitingForNewer { error, .. }
            | Condition::Misconfigured { error, .. }
            | Condition::Stopped { error } => Err(error),
        }
    }
}
