//! Events as a test writes them, as they are stored, and as they are compared.

use es_core::{
    AggregateId, EventPayload, EventSet, FieldError, FieldReader, FieldWriter, Timestamp,
};
use es_store::{Mapper, StoredEvent};

use super::unordered;
use es_store::Env;

/// Events of one aggregate, in order: an array or a `Vec` of payloads of one kind, or a tuple of
/// payloads of several kinds. `()` is no event.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not how a test writes events down",
    label = "write an array of events of one kind, `[a, b]`, or a tuple of events of any, `(a, b)`; a single one is `(a,)`"
)]
pub trait Events {
    /// Encodes each event.
    #[doc(hidden)]
    fn __encode(self, encoder: &mut Encoder);
}

/// Encodes events as an application in memory does, as plain JSON.
pub struct Encoder {
    mapper: Mapper,
    id: AggregateId,
    version: u64,
    now: fn() -> Timestamp,
    encoded: Vec<StoredEvent>,
}

impl Encoder {
    /// Creates an encoder of events of the aggregate `id` that follow `version`. `now` returns
    /// their times.
    pub(super) fn new(id: AggregateId, version: u64, now: fn() -> Timestamp) -> Self {
        let mapper = Mapper::new(&Env::new()).expect("an empty environment is right");
        Self {
            mapper,
            id,
            version,
            now,
            encoded: Vec::new(),
        }
    }

    pub(super) fn all(mut self, events: impl Events) -> Vec<StoredEvent> {
        events.__encode(&mut self);
        self.encoded
    }

    pub(super) fn finish(self) -> Vec<StoredEvent> {
        self.encoded
    }

    pub(super) fn push<E: EventSet>(&mut self, event: &E) {
        self.version += 1;
        let encoded = self
            .mapper
            .encode(&self.id, self.version, (self.now)(), None, event);
        let compared = encoded.and_then(|stored| {
            self.mapper.compare_event(event, &stored)?;
            Ok(stored)
        });
        self.encoded
            .push(compared.unwrap_or_else(|error| panic!("an event cannot be stored: {error}")));
    }
}

/// The set of events that consists of one kind.
struct Only<P>(P);

impl<P: EventPayload> EventSet for Only<P> {
    const TOPICS: &'static [&'static str] = &[P::TOPIC];

    fn topic(&self) -> &'static str {
        P::TOPIC
    }

    fn encode<W: FieldWriter>(&self, fields: &mut W) -> Result<(), FieldError> {
        self.0.encode(fields)
    }

    fn decode<R: FieldReader>(topic: &str, fields: &mut R) -> Option<Result<Self, FieldError>> {
        (topic == P::TOPIC).then(|| P::decode(fields).map(Self))
    }

    fn version(_: &str) -> u64 {
        P::VERSION
    }

    fn __changed_field(&self, other: &Self) -> Option<&'static str> {
        self.0.__changed_field(&other.0)
    }
}

#[diagnostic::do_not_recommend]
impl<P: EventPayload, const N: usize> Events for [P; N] {
    fn __encode(self, encoder: &mut Encoder) {
        self.into_iter()
            .for_each(|event| encoder.push(&Only(event)));
    }
}

#[diagnostic::do_not_recommend]
impl<P: EventPayload> Events for Vec<P> {
    fn __encode(self, encoder: &mut Encoder) {
        self.into_iter()
            .for_each(|event| encoder.push(&Only(event)));
    }
}

macro_rules! tuples {
    ($first:ident $($rest:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<$first: EventPayload, $($rest: EventPayload),*> Events for ($first, $($rest,)*) {
            #[allow(non_snake_case, reason = "a value is called like its type")]
            fn __encode(self, encoder: &mut Encoder) {
                let ($first, $($rest,)*) = self;
                encoder.push(&Only($first));
                $(encoder.push(&Only($rest));)*
            }
        }
        tuples!($($rest)*);
    };
    () => {
        #[diagnostic::do_not_recommend]
        impl Events for () {
            fn __encode(self, _: &mut Encoder) {}
        }
    };
}

tuples!(A B C D E F G H I J K L);

/// An event in the form in which it is compared: its topic, and its fields as they are stored.
pub(super) struct ComparedEvent {
    topic: String,
    fields: String,
}

impl PartialEq for ComparedEvent {
    fn eq(&self, other: &Self) -> bool {
        self.topic == other.topic && unordered::maps(&self.fields) == unordered::maps(&other.fields)
    }
}

impl ComparedEvent {
    pub(super) fn of(events: &[StoredEvent]) -> Vec<Self> {
        let compared = |event: &StoredEvent| Self {
            topic: event.topic.clone().into_owned(),
            fields: fields(&String::from_utf8_lossy(&event.state)),
        };
        events.iter().map(compared).collect()
    }
}

/// Removes the parts of a state that are no fields of the event: the time, and the topic of the
/// aggregate that the event creates.
fn fields(state: &str) -> String {
    let rest = match (state.starts_with("{\"timestamp\":{"), state.split_once('}')) {
        (true, Some((_, rest))) => rest,
        _ => return state.to_owned(),
    };
    let rest = rest.strip_prefix(',').unwrap_or(rest);
    let rest = match rest.strip_prefix("\"originator_topic\":\"") {
        None => rest,
        Some(rest) => rest.split_once('"').map_or(rest, |(_, rest)| rest),
    };
    format!("{{{}", rest.strip_prefix(',').unwrap_or(rest))
}

/// Compares the found events with the expected ones. Panics if they differ, with both lists in the
/// message.
#[track_caller]
pub(super) fn compare(found: &[ComparedEvent], expected: &[ComparedEvent]) {
    if found == expected {
        return;
    }
    let same = found
        .iter()
        .zip(expected)
        .take_while(|(a, b)| a == b)
        .count();
    let lines = |events: &[ComparedEvent]| -> String {
        let line = |(at, ComparedEvent { topic, fields }): (usize, &ComparedEvent)| {
            let mark = if at < same { ' ' } else { '>' };
            format!("\n  {mark} {}. {topic} {fields}", at + 1)
        };
        match events {
            [] => "\n    none".to_owned(),
            events => events.iter().enumerate().map(line).collect(),
        }
    };
    panic!(
        "the new events are not the expected ones\nexpected:{}\nfound:{}",
        lines(expected),
        lines(found)
    );
}
