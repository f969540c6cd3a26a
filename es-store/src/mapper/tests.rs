//! States as Python stores them, and invalid ones; plain, compressed and encrypted.

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
            "dogschool:Dog.Sold" => Some(fields.take("price").map(|price| Self::Sold { price })),
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
    let stored = StoredEvent::new(
        Uuid::from_u128(7),
        3,
        topic.to_owned(),
        state.as_bytes().to_vec(),
    );
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
        (
            "dogschool:Dog.Sat",
            format!(r#"{{{TIME},"class_version":2}}"#),
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

/// The bytes 0 to 31.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn aes() -> Env {
    Env::new()
        .with("CIPHER_TOPIC", "aes")
        .with("CIPHER_KEY", KEY)
}

fn zlib_and_aes() -> Env {
    aes().with("COMPRESSOR_TOPIC", "zlib")
}

fn registered(env: &Env) -> StoredEvent {
    let event = DogEvent::Registered {
        name: "hush".to_owned(),
    };
    let mapper = Mapper::new(env).expect("a mapper");
    let encoded = mapper.encode(&Uuid::from_u128(7).into(), 1, Timestamp::MIN, None, &event);
    encoded.expect("encoded")
}

#[test]
fn states_are_compressed_then_encrypted_as_python_does_it() {
    let plain = br#"{"timestamp":1}"#;
    for (env, stored) in [
        (
            Env::new().with("COMPRESSOR_TOPIC", "zlib"),
            "789cab562ac9cc4d2d2e49cc2d50b232ac05002db6057c",
        ),
        (
            aes(),
            "6465666768696a6b6c6d6e6f859cd0bf5c74e5a5a8028e285441ea373339aa0f148c25ea5f0f2fcae05417",
        ),
        (
            zlib_and_aes(),
            "6465666768696a6b6c6d6e6f67f39fefc7a8161a7b2f998804df62673087753053209ad3134c1624f735d8cfeec706273d698f",
        ),
    ] {
        let mapper = Mapper::new(&env).expect("a mapper");
        let sealed = mapper.seal_with(plain.to_vec(), |cipher, state| {
            let nonce: [u8; 12] = std::array::from_fn(|n| 100 + n as u8);
            cipher.encrypt_with(nonce.into(), state)
        });
        let sealed = sealed.expect("sealed");
        assert_eq!(crate::hex(&sealed), stored);
        assert_eq!(mapper.open(&sealed).expect("opened"), &plain[..]);
    }
}

#[test]
fn what_is_sealed_comes_back_and_shows_nothing() {
    for env in [aes(), zlib_and_aes()] {
        let stored = registered(&env);
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("hush");
        assert!(!shown(&stored.state) && shown(&registered(&Env::new()).state));
        let mapper = Mapper::new(&env).expect("a mapper");
        let decoded = mapper.decode::<DogEvent>(&stored).expect("decoded");
        assert!(matches!(decoded.payload, DogEvent::Registered { name } if name == "hush"));
    }
}

#[test]
fn what_cannot_be_opened_names_topic_aggregate_and_version_and_shows_no_value() {
    let zlib = Env::new().with("COMPRESSOR_TOPIC", "zlib");
    let other_key = crate::create_key(32).expect("a key");
    let other_key = zlib_and_aes().with("CIPHER_KEY", other_key);
    let not_decrypted = "it is damaged, not encrypted, or encrypted with another key";
    let not_decompressed = "it is damaged, or not compressed like this";
    let short = |env: &Env| StoredEvent {
        state: registered(env).state[..27].to_vec(),
        ..registered(env)
    };
    for (stored, env, problem) in [
        (registered(&zlib_and_aes()), other_key, not_decrypted),
        (registered(&Env::new()), zlib_and_aes(), not_decrypted),
        (registered(&zlib), zlib_and_aes(), not_decrypted),
        (
            short(&aes()),
            aes(),
            "the state is too short to be encrypted",
        ),
        (registered(&aes()), zlib_and_aes(), not_decompressed),
        (short(&zlib), zlib.clone(), not_decompressed),
        (registered(&zlib), aes(), not_decrypted),
        (registered(&zlib_and_aes()), aes(), "the state is damaged"),
        (
            registered(&zlib_and_aes()),
            Env::new(),
            "the state is damaged",
        ),
    ] {
        let mapper = Mapper::new(&env).expect("a mapper");
        let error = mapper.decode::<DogEvent>(&stored).expect_err("refused");
        let about = "event `dogschool:Dog.Registered` of aggregate 00000000-0000-0000-0000-000000000007 at version 1: ";
        let shown = error.to_string();
        assert!(
            shown.starts_with(about) && shown.contains(problem),
            "{shown}"
        );
        let shown = format!("{shown} {error:?} {mapper:?} {env:?}");
        assert!(!shown.contains("hush") && !shown.contains(KEY), "{shown}");
    }
}

#[test]
fn an_event_encoded_twice_is_the_same_event_though_its_bytes_are_others() {
    for env in [Env::new(), aes(), zlib_and_aes()] {
        let mapper = Mapper::new(&env).expect("a mapper");
        let (one, again) = (registered(&env), registered(&env));
        assert_eq!(one == again, env.get("CIPHER_KEY").is_none());
        assert!(mapper.is_same(&one, &again));
        let mut other = again.clone();
        other.originator_version = 2;
        assert!(!mapper.is_same(&one, &other));
        let mut damaged = again;
        damaged.state.truncate(5);
        assert!(!mapper.is_same(&one, &damaged));
    }
}

#[test]
fn a_state_that_was_encrypted_with_an_old_key_is_read_after_a_rotation() {
    let rotated = aes()
        .with("CIPHER_KEY", crate::create_key(16).expect("a key"))
        .with("CIPHER_KEYS_OLD", KEY);
    let mapper = Mapper::new(&rotated).expect("a mapper");
    assert!(mapper.decode::<DogEvent>(&registered(&aes())).is_ok());
    assert!(mapper.decode::<DogEvent>(&registered(&rotated)).is_ok());
    let before = Mapper::new(&aes()).expect("a mapper");
    assert!(before.decode::<DogEvent>(&registered(&rotated)).is_err());
}
