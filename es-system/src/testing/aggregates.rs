//! Tests of aggregates, written as events.

use es_core::{Aggregate, AggregateId, Replay, Timestamp, source};
use es_store::{Mapper, StoredEvent};

use super::clock::TestSource;
use super::events::{ComparedEvent, Encoder, Events, compare};
use super::unordered;
use es_store::Env;

/// Begins a test with an aggregate that has these events. They are stored and read again, as in an
/// application.
///
/// In the test, the clock starts at the beginning of 2024 and ids count from 1, unless the test has
/// a [`Clock`](super::Clock) or runs in [`with_source`](super::with_source).
pub fn given<T: Events>(events: T) -> Given<T> {
    Given {
        events,
        id: None,
        at: None,
    }
}

/// Begins a test without an aggregate, for a command that creates one.
pub fn given_nothing() -> GivenNothing {
    GivenNothing { at: None }
}

/// The events of an aggregate before the command. [`given`] creates it.
#[must_use = "nothing is tested before `when` and `then`"]
pub struct Given<T> {
    events: T,
    id: Option<AggregateId>,
    /// The time of the command.
    at: Option<Timestamp>,
}

impl<T: Events> Given<T> {
    /// Sets the clock to `time` for the command that follows. The given events have the time of the
    /// clock before.
    pub fn at(self, time: Timestamp) -> Self {
        let at = Some(time);
        Self { at, ..self }
    }

    /// Sets the id of the aggregate, for a test that depends on it.
    pub fn of(self, id: impl Into<AggregateId>) -> Self {
        Self {
            id: Some(id.into()),
            ..self
        }
    }

    /// Runs a command.
    ///
    /// # Panics
    /// Panics if the given events do not form an aggregate of this type, in this order, or if the
    /// command panics.
    #[track_caller]
    pub fn when<A: Aggregate, R>(self, command: impl FnOnce(&mut A) -> R) -> When<A, R> {
        let source = TestSource::counting_ids();
        let (id, given) = source.during(|| {
            let id = self.id.unwrap_or_else(|| source::fresh_id().into());
            let given = Encoder::new(id.clone(), 0, source::now).all(self.events);
            (id, given)
        });
        let mut aggregate = replay::<A>(&id, &given);
        if let Some(time) = self.at {
            source.move_to(time);
        }
        let outcome = source.during(|| command(&mut aggregate));
        let (id, other) = (&id, aggregate.id());
        assert!(
            other == id,
            "the command was given aggregate {id}, and put aggregate {other} in its place"
        );
        When {
            given,
            aggregate: Some(aggregate),
            outcome,
        }
    }
}

/// The absence of an aggregate before the command. [`given_nothing`] creates it.
#[must_use = "nothing is tested before `when` and `then`"]
pub struct GivenNothing {
    /// The time of the command.
    at: Option<Timestamp>,
}

impl GivenNothing {
    /// Sets the clock to `time` for the command that follows.
    pub fn at(self, time: Timestamp) -> Self {
        Self { at: Some(time) }
    }

    /// Runs a command that creates the aggregate.
    #[track_caller]
    pub fn when<A: Aggregate>(self, command: impl FnOnce() -> A) -> When<A, ()> {
        When {
            given: Vec::new(),
            aggregate: Some(self.run(command)),
            outcome: (),
        }
    }

    /// Runs a command that creates the aggregate or refuses to.
    #[track_caller]
    pub fn try_when<A: Aggregate, E>(
        self,
        command: impl FnOnce() -> Result<A, E>,
    ) -> When<A, Result<(), E>> {
        let (aggregate, outcome) = match self.run(command) {
            Ok(aggregate) => (Some(aggregate), Ok(())),
            Err(error) => (None, Err(error)),
        };
        When {
            given: Vec::new(),
            aggregate,
            outcome,
        }
    }
}

impl GivenNothing {
    #[track_caller]
    fn run<R>(self, command: impl FnOnce() -> R) -> R {
        let source = TestSource::counting_ids();
        if let Some(time) = self.at {
            source.move_to(time);
        }
        source.during(command)
    }
}

/// The result of a command.
#[must_use = "nothing is tested before `then`"]
pub struct When<A, R> {
    given: Vec<StoredEvent>,
    /// The aggregate, or `None` if it was not created.
    aggregate: Option<A>,
    outcome: R,
}

impl<A: Aggregate, R> When<A, R> {
    /// Asserts that the command has made exactly these events. They are compared as they are
    /// stored, except for their times and the order of maps. A `HashSet` is stored as a list in an
    /// unpredictable order, so use a `BTreeSet` in events that a test compares.
    ///
    /// Also asserts that the aggregate, read again from its events, has the same state, if its
    /// state can be stored.
    ///
    /// # Panics
    /// Panics if the events differ, with both lists in the message.
    #[track_caller]
    pub fn then(self, events: impl Events) -> Then<A, R> {
        let (id, before) = match &self.aggregate {
            Some(aggregate) => (aggregate.id().clone(), self.given.len() as u64),
            None => (AggregateId::from(""), 0),
        };
        let plain = |from| Encoder::new(id.clone(), from, || Timestamp::MIN);
        let mut found = plain(before);
        let pending = self.aggregate.as_ref().map(A::pending_events);
        for event in pending.unwrap_or_default() {
            found.push(&event.payload);
        }
        let expected = plain(before).all(events);
        compare(
            &ComparedEvent::of(&found.finish()),
            &ComparedEvent::of(&expected),
        );
        if let Some(aggregate) = &self.aggregate {
            compare_with_replay(aggregate, self.given);
        }
        Then {
            aggregate: self.aggregate,
            outcome: self.outcome,
        }
    }

    /// Asserts that the command has made no event.
    ///
    /// # Panics
    /// Panics if it has made one.
    #[track_caller]
    pub fn then_nothing(self) -> Then<A, R> {
        self.then(())
    }
}

/// A command whose events were as expected.
pub struct Then<A, R> {
    aggregate: Option<A>,
    outcome: R,
}

impl<A: Aggregate, R> Then<A, R> {
    /// Passes the aggregate, in the state after the command, to `look`.
    ///
    /// # Panics
    /// Panics if there is no aggregate, or if `look` panics.
    #[track_caller]
    pub fn and_the_aggregate(self, look: impl FnOnce(&A)) -> Self {
        let aggregate = self.aggregate.as_ref();
        look(aggregate.expect("the command has made no aggregate"));
        self
    }

    /// Passes the result of the command to `look`.
    pub fn and_the_outcome(self, look: impl FnOnce(R)) {
        look(self.outcome);
    }
}

fn mapper() -> Mapper {
    Mapper::new(&Env::new()).expect("an empty environment is right")
}

#[track_caller]
fn replay<A: Aggregate>(id: &AggregateId, events: &[StoredEvent]) -> A {
    let mapper = mapper();
    let mut replay = Replay::<A>::new(id.clone());
    for event in events {
        let decoded = match mapper.decode::<A::Event>(event) {
            Ok(decoded) => decoded,
            Err(error) => panic!("an event of `{}` cannot be read: {error}", A::TOPIC),
        };
        let applied = replay.apply(
            id,
            event.originator_version,
            decoded.timestamp,
            &decoded.payload,
        );
        if let Err(error) = applied {
            panic!("the events of `{}` cannot be applied: {error}", A::TOPIC);
        }
    }
    let aggregate = replay.finish();
    aggregate.expect("no event was given: begin with `given_nothing()`, or with the event that creates the aggregate")
}

#[track_caller]
fn compare_with_replay<A: Aggregate>(aggregate: &A, mut events: Vec<StoredEvent>) {
    let id = aggregate.id();
    let mapper = mapper();
    for event in aggregate.pending_events() {
        let stored = mapper.encode(
            id,
            event.originator_version,
            event.timestamp,
            None,
            &event.payload,
        );
        events.push(stored.unwrap_or_else(|error| panic!("an event cannot be stored: {error}")));
    }
    let state = |aggregate: &A| {
        let snapshot = snapshot(&mapper, aggregate)?;
        Some(unordered::maps_and_lists(&String::from_utf8_lossy(
            &snapshot.state,
        )))
    };
    let live = state(aggregate);
    let replayed = state(&replay::<A>(id, &events));
    assert!(
        live == replayed,
        "the state after the command is not the one that is read back from the events: the body of an `#[event]` method \
         depends on something besides its parameters\nafter the command: {live:?}\nread back: {replayed:?}"
    );
}

/// Returns a snapshot of an aggregate, if its state can be stored. Panics if its state would come
/// back changed, or cannot be stored although the aggregate takes snapshots.
#[track_caller]
fn snapshot<A: Aggregate>(mapper: &Mapper, aggregate: &A) -> Option<StoredEvent> {
    let refuse = |error| panic!("a snapshot of `{}` cannot be taken: {error}", A::TOPIC);
    let snapshot = match mapper.encode_snapshot(aggregate, Timestamp::MIN)? {
        Ok(snapshot) => snapshot,
        Err(error) if A::__SNAPSHOT_EVERY.is_some() => refuse(error),
        Err(_) => return None,
    };
    if let Err(error) = mapper.compare_snapshot(aggregate, &snapshot) {
        refuse(error);
    }
    Some(snapshot)
}
