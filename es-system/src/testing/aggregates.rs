//! What an aggregate does, told by events.

use std::sync::Arc;

use es_core::source::Source;
use es_core::testing::FixedSource;
use es_core::{Aggregate, AggregateId, Replay, Timestamp, source};
use es_store::{Mapper, StoredEvent};

use super::events::{Encoder, Events, Seen, compare};
use super::unordered;
use es_store::Env;

/// An aggregate that had these events. They are stored and read again, as in an application.
///
/// Within the test the clock begins at the first moment of 2024 and ids count from 1, unless
/// [`with_source`](super::with_source) is around it.
pub fn given<T: Events>(events: T) -> Given<T> {
    Given { events, id: None }
}

/// No aggregate yet: the command is the one that makes it.
pub fn given_nothing() -> GivenNothing {
    GivenNothing(())
}

/// The events that an aggregate had; [`given`] makes it.
#[must_use = "nothing is tested before `when` and `then`"]
pub struct Given<T> {
    events: T,
    id: Option<AggregateId>,
}

impl<T: Events> Given<T> {
    /// The aggregate has this id, if it matters which.
    pub fn of(self, id: impl Into<AggregateId>) -> Self {
        Self {
            id: Some(id.into()),
            ..self
        }
    }

    /// Runs a command.
    ///
    /// # Panics
    /// When the given events are none of an aggregate of this type, in this order; and when the command does.
    #[track_caller]
    pub fn when<A: Aggregate, R>(self, command: impl FnOnce(&mut A) -> R) -> When<A, R> {
        let source = foreseen();
        let (id, given) = source::with_source(Some(source.clone()), || {
            let id = self.id.unwrap_or_else(|| source::fresh_id().into());
            let given = Encoder::new(id.clone(), 0, source::now).all(self.events);
            (id, given)
        });
        let mut aggregate = replay::<A>(&id, &given);
        let outcome = source::with_source(Some(source), || command(&mut aggregate));
        When {
            given,
            aggregate: Some(aggregate),
            outcome,
        }
    }
}

/// That there is no aggregate; [`given_nothing`] makes it.
#[must_use = "nothing is tested before `when` and `then`"]
pub struct GivenNothing(());

impl GivenNothing {
    /// Makes the aggregate.
    pub fn when<A: Aggregate>(self, command: impl FnOnce() -> A) -> When<A, ()> {
        When {
            given: Vec::new(),
            aggregate: Some(foretold(command)),
            outcome: (),
        }
    }

    /// Makes the aggregate, or refuses to.
    pub fn try_when<A: Aggregate, E>(
        self,
        command: impl FnOnce() -> Result<A, E>,
    ) -> When<A, Result<(), E>> {
        let (aggregate, outcome) = match foretold(command) {
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

/// What a command has done.
#[must_use = "nothing is tested before `then`"]
pub struct When<A, R> {
    given: Vec<StoredEvent>,
    /// `None` if it was not made.
    aggregate: Option<A>,
    outcome: R,
}

impl<A: Aggregate, R> When<A, R> {
    /// The command has made exactly these events. They are compared as they are stored, but for their times and the order of
    /// maps. The elements of a `HashSet` are stored as a list, in any order: in an event a `BTreeSet` can be compared.
    ///
    /// It is also tested that the aggregate, read again from its events, has the same state, if its state can be stored.
    ///
    /// # Panics
    /// When the events are others: the message has both.
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
        compare(&Seen::of(&found.finish()), &Seen::of(&expected));
        if let Some(aggregate) = &self.aggregate {
            compare_with_replay(aggregate, self.given);
        }
        Then {
            aggregate: self.aggregate,
            outcome: self.outcome,
        }
    }

    /// The command has made no event.
    ///
    /// # Panics
    /// When it has.
    #[track_caller]
    pub fn then_nothing(self) -> Then<A, R> {
        self.then(())
    }
}

/// A command whose events were the expected ones.
pub struct Then<A, R> {
    aggregate: Option<A>,
    outcome: R,
}

impl<A: Aggregate, R> Then<A, R> {
    /// Looks at the aggregate, which is as the command has left it.
    ///
    /// # Panics
    /// When there is none, and when `look` does.
    #[track_caller]
    pub fn and_the_aggregate(self, look: impl FnOnce(&A)) -> Self {
        let aggregate = self.aggregate.as_ref();
        look(aggregate.expect("the command has made no aggregate"));
        self
    }

    /// Looks at what the command has returned.
    pub fn and_the_outcome(self, look: impl FnOnce(R)) {
        look(self.outcome);
    }
}

/// A clock and ids that can be foretold, unless the caller has put others in place.
fn foreseen() -> Arc<dyn Source> {
    const START_OF_2024: i64 = 1_704_067_200_000_000;
    source::current().unwrap_or_else(|| {
        let start = Timestamp::from_micros(START_OF_2024).expect("in range");
        Arc::new(FixedSource::starting_at(start))
    })
}

fn foretold<T>(work: impl FnOnce() -> T) -> T {
    source::with_source(Some(foreseen()), work)
}

fn mapper() -> Mapper {
    Mapper::new(&Env::new()).expect("an empty environment is right")
}

#[track_caller]
fn replay<A: Aggregate>(id: &AggregateId, events: &[StoredEvent]) -> A {
    let (mapper, mut replay) = (mapper(), Replay::<A>::new(id.clone()));
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
    let (id, mapper) = (aggregate.id(), mapper());
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
        let snapshot = mapper.encode_snapshot(aggregate, Timestamp::MIN)?.ok()?;
        Some(unordered::maps_and_lists(&String::from_utf8_lossy(
            &snapshot.state,
        )))
    };
    let (live, replayed) = (state(aggregate), state(&replay::<A>(id, &events)));
    assert!(
        live == replayed,
        "the state after the command is not the one that is read back from the events: the body of an `#[event]` method \
         depends on something besides its parameters\nafter the command: {live:?}\nread back: {replayed:?}"
    );
}
