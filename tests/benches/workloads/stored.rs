//! The rows that the library stores for the tutorial's dogs, written and read by hand.

use es_system::prelude::*;
use tests::domain::Dog;

/// A row of stored events.
pub struct Row {
    pub id: Uuid,
    pub version: i64,
    pub topic: &'static str,
    pub state: Vec<u8>,
}

/// The state in the bytes that the library stores.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    timestamp: Transcoded<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    originator_topic: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trick: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Transcoded<'a> {
    _type_: &'a str,
    _data_: String,
}

impl Stored<'_> {
    fn now() -> Self {
        let timestamp = Transcoded {
            _type_: "datetime_iso",
            _data_: Timestamp::now().to_string(),
        };
        Self {
            timestamp,
            originator_topic: None,
            name: None,
            trick: None,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain data")
    }
}

/// The row of a dog's first event.
pub fn registered(name: &str) -> Row {
    let stored = Stored {
        originator_topic: Some("dogschool:Dog"),
        name: Some(name.to_owned()),
        ..Stored::now()
    };
    Row {
        id: Dog::create_id(name),
        version: 1,
        topic: "dogschool:Dog.Registered",
        state: stored.bytes(),
    }
}

/// The row of a dog's next event.
pub fn trick_added(id: Uuid, after: i64, trick: &str) -> Row {
    let stored = Stored {
        trick: Some(trick.to_owned()),
        ..Stored::now()
    };
    Row {
        id,
        version: after + 1,
        topic: "dogschool:Dog.TrickAdded",
        state: stored.bytes(),
    }
}

/// A dog replayed from its events.
#[derive(Default)]
pub struct Loaded {
    pub version: i64,
    pub tricks: Vec<String>,
}

impl Loaded {
    /// Decodes an event, and applies it.
    pub fn apply(&mut self, version: i64, topic: &str, state: &[u8]) {
        let stored: Stored<'_> = serde_json::from_slice(state).expect("our own JSON");
        std::hint::black_box((topic, &stored.timestamp._data_));
        self.version = version;
        self.tricks.extend(stored.trick);
    }
}
