//! Events to stored events, and back.

mod snapshot;

use std::borrow::Cow;

use es_core::{AggregateId, EventPayload, EventSet, FieldError, FieldReader, Timestamp};

use crate::transcoder::{JsonReader, JsonWriter};
use crate::{Env, MapperError, MapperProblem, StoreError, StoredEvent};

/// The highest version of an event's class that is known here.
const CLASS_VERSION: u64 = 1;

/// Encodes events to stored events and decodes them, in the format of the Python library.
///
/// A state is a JSON object: `timestamp`; for the event that creates an aggregate `originator_topic`; then the
/// fields in their order. That of a snapshot is `timestamp`, `topic` (of the aggregate), and in `state` the times of its
/// first and last event and its fields. When they are read, the order does not matter.
#[derive(Debug, Clone)]
pub struct Mapper {
    _private: (),
}

/// A decoded event: when it was made, and what happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Decoded<E> {
    /// When the event was made.
    pub timestamp: Timestamp,
    /// What happened.
    pub payload: E,
}

impl Mapper {
    /// A mapper as `env` asks for it.
    ///
    /// # Errors
    /// When it asks for compression or encryption, which are not built yet in this version.
    pub fn new(env: &Env) -> Result<Self, StoreError> {
        for key in ["COMPRESSOR_TOPIC", "CIPHER_TOPIC", "CIPHER_KEY"] {
            if env.get(key).is_some_and(|value| !value.is_empty()) {
                let problem = format!(
                    "{key} is set, but compression and encryption are not built yet in this version"
                );
                return Err(StoreError::Configuration(problem));
            }
        }
        Ok(Self { _private: () })
    }

    /// Encodes an event. `originator_topic` is the topic of the aggregate, given only for the event that creates it.
    ///
    /// # Errors
    /// When a field cannot be written.
    pub fn encode<E: EventSet>(
        &self,
        id: &AggregateId,
        version: u64,
        timestamp: Timestamp,
        originator_topic: Option<&str>,
        event: &E,
    ) -> Result<StoredEvent, MapperError> {
        let topic = event.topic();
        let mut state = JsonWriter::new();
        let written = state
            .put_reserved("timestamp", &timestamp)
            .and_then(|()| match originator_topic {
                Some(topic) => state.put_reserved("originator_topic", topic),
                None => Ok(()),
            })
            .and_then(|()| event.encode(&mut state));
        match written {
            Ok(()) => Ok(StoredEvent {
                originator_id: id.clone(),
                originator_version: version,
                topic: Cow::Borrowed(topic),
                state: state.finish(),
            }),
            Err(error) => Err(MapperError {
                topic: topic.to_owned(),
                id: id.clone(),
                version,
                problem: error.into(),
            }),
        }
    }

    /// Decodes an event of an aggregate.
    ///
    /// # Errors
    /// When the topic is none of `E`, the state is damaged or newer than this program, or a field is missing or
    /// of another type.
    pub fn decode<E: EventSet>(&self, stored: &StoredEvent) -> Result<Decoded<E>, MapperError> {
        decode(stored, |fields| E::decode(&stored.topic, fields))
    }

    /// Decodes an event of one kind.
    ///
    /// # Errors
    /// As for [`Mapper::decode`].
    pub fn decode_payload<P: EventPayload>(
        &self,
        stored: &StoredEvent,
    ) -> Result<Decoded<P>, MapperError> {
        decode(stored, |fields| {
            (stored.topic == P::TOPIC).then(|| P::decode(fields))
        })
    }
}

fn decode<E>(
    stored: &StoredEvent,
    payload: impl FnOnce(&mut JsonReader<'_>) -> Option<Result<E, FieldError>>,
) -> Result<Decoded<E>, MapperError> {
    decode_state(&stored.state, payload).map_err(|problem| MapperError {
        topic: stored.topic.clone().into_owned(),
        id: stored.originator_id.clone(),
        version: stored.originator_version,
        problem,
    })
}

fn decode_state<E>(
    state: &[u8],
    payload: impl FnOnce(&mut JsonReader<'_>) -> Option<Result<E, FieldError>>,
) -> Result<Decoded<E>, MapperProblem> {
    let mut fields = JsonReader::new(state).map_err(MapperProblem::Damaged)?;
    check_class_version(&mut fields)?;
    let timestamp = fields.take("timestamp")?;
    let payload = payload(&mut fields).ok_or(MapperProblem::UnknownTopic)??;
    Ok(Decoded { timestamp, payload })
}

/// Refuses what was written by a newer version of its class.
fn check_class_version(fields: &mut JsonReader<'_>) -> Result<(), MapperProblem> {
    if !fields.has("class_version") {
        return Ok(());
    }
    let found: u64 = fields.take("class_version")?;
    if found > CLASS_VERSION {
        return Err(MapperProblem::NewerVersion {
            found,
            known: CLASS_VERSION,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use es_core::FieldWriter;
    use uuid::Uuid;

    use super::*;

    #[derive(Debug, PartialEq)]
    enum DogEvent {
        Registered { name: String },
        Sold { price: f64 },
    }

    impl EventSet for DogEvent {
        const TOPICS: &'static [&'static str] = &["dogschool:Dog.Registered", "dogschool:Dog.Sold"];

        fn topic(&self) -> &'static str {
            match self {
                Self::Registered { .. } => "dogschool:Dog.Registered",
                Self::Sold { .. } => "dogschool:Dog.Sold",
            }
        }

        fn encode<W: FieldWriter>(&self, fields: &mut W) -> Result<(), FieldError> {
            match self {
                Self::Registered { name } => fields.put("name", name),
                Self::Sold { price } => fields.put("price", price),
            }
        }

        fn decode<R: FieldReader>(topic: &str, fields: &mut R) -> Option<Result<Self, FieldError>> {
            match topic {
                "dogschool:Dog.Registered" => {
                    Some(fields.take("name").map(|name| Self::Registered { name }))
                }
                "dogschool:Dog.Sold" => {
                    Some(fields.take("price").map(|price| Self::Sold { price }))
                }
                _ => None,
            }
        }
    }

    fn mapper() -> Mapper {
        Mapper::new(&Env::new()).expect("a mapper")
    }

    fn encode(topic: Option<&str>, event: &DogEvent) -> Result<StoredEvent, MapperError> {
        let timestamp = "2024-01-02T03:04:05.000600Z".parse().expect("a time");
        mapper().encode(
            &AggregateId::from(Uuid::from_u128(7)),
            3,
            timestamp,
            topic,
            event,
        )
    }

    fn decode(topic: &'static str, state: &str) -> Result<Decoded<DogEvent>, String> {
        let stored = StoredEvent {
            originator_id: Uuid::from_u128(7).into(),
            originator_version: 3,
            topic: topic.into(),
            state: state.as_bytes().to_vec(),
        };
        mapper().decode(&stored).map_err(|error| error.to_string())
    }

    #[test]
    fn a_state_is_what_python_stores() {
        let event = DogEvent::Registered {
            name: "Søren \"Ünï\" 🐕".to_owned(),
        };
        let stored = encode(Some("dogschool:Dog"), &event).expect("encoded");
        let state = concat!(
            r#"{"timestamp":{"_type_":"datetime_iso","_data_":"2024-01-02T03:04:05.000600+00:00"},"#,
            r#""originator_topic":"dogschool:Dog","name":"Søren \"Ünï\" 🐕"}"#,
        );
        assert_eq!(String::from_utf8_lossy(&stored.state), state);
        let decoded = mapper().decode::<DogEvent>(&stored).expect("decoded");
        assert_eq!(decoded.payload, event);
        assert_eq!(
            decoded.timestamp.to_string(),
            "2024-01-02T03:04:05.000600+00:00"
        );
    }

    #[test]
    fn what_cannot_be_encoded_names_event_aggregate_and_field() {
        let refused = encode(None, &DogEvent::Sold { price: f64::NAN })
            .expect_err("not finite")
            .to_string();
        assert_eq!(
            refused,
            "event `dogschool:Dog.Sold` of aggregate 00000000-0000-0000-0000-000000000007 at version 3: \
             field `price`: a float that is not finite cannot be stored"
        );
    }

    #[test]
    fn what_cannot_be_decoded_says_why() {
        const TIME: &str = r#""timestamp":"2024-01-02T03:04:05+00:00""#;
        let topic = DogEvent::TOPICS[0];
        for (topic, state, problem) in [
            (topic, "{".to_owned(), "the state is damaged: EOF"),
            (
                topic,
                r#"{"name":"Billy"}"#.to_owned(),
                "field `timestamp`: it is missing",
            ),
            (topic, format!("{{{TIME}}}"), "field `name`: it is missing"),
            (
                topic,
                format!(r#"{{{TIME},"name":5}}"#),
                "field `name`: expected a string",
            ),
            (
                topic,
                format!(r#"{{{TIME},"name":"","class_version":2}}"#),
                "it has class_version 2, and this program knows 1",
            ),
            (
                "dogschool:Dog.Sat",
                format!("{{{TIME}}}"),
                "the topic is not known here",
            ),
        ] {
            let refused = decode(topic, &state).expect_err(&state);
            assert!(
                refused.contains(&format!("at version 3: {problem}")),
                "{refused}"
            );
        }
        let state = format!(r#"{{"class_version":1,"name":"","more":[],{TIME}}}"#);
        assert!(decode(topic, &state).is_ok());
    }

    #[test]
    fn what_is_not_built_yet_is_never_ignored() {
        for key in ["COMPRESSOR_TOPIC", "CIPHER_TOPIC", "DOGS_CIPHER_KEY"] {
            let env = Env::new()
                .with(key, "secret-or-zlib")
                .for_application("Dogs");
            let refused = Mapper::new(&env).expect_err("refused").to_string();
            assert!(
                refused.contains("not built yet") && !refused.contains("secret"),
                "{refused}"
            );
        }
    }
}
