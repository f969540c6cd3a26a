//! A crate that holds the domain only depends on `es_core`.

use es_core::{Aggregate, AggregateId, EventSet, Timestamp, aggregate};

#[aggregate(crate = es_core, topic = "dogschool:Dog")]
#[derive(Debug, Clone, PartialEq)]
pub struct Dog {
    tricks: Vec<String>,
    since: Timestamp,
}

#[aggregate(crate = es_core)]
impl Dog {
    #[event(Registered)]
    pub fn register(timestamp: Timestamp) -> Self {
        Self {
            tricks: Vec::new(),
            since: timestamp,
        }
    }

    #[event(TrickAdded)]
    pub fn add_trick(&mut self, trick: &str, timestamp: Timestamp) {
        self.tricks.push(trick.to_owned());
        self.since = timestamp;
    }
}

#[test]
fn main() {
    let mut dog = Dog::register();
    assert!(matches!(dog.id(), AggregateId::Uuid(_)));
    dog.add_trick("roll over");
    assert_eq!(dog.since, dog.modified_on());
    assert_eq!(dog, dog.clone());
    assert_eq!(
        dog.pending_events()[1].payload,
        DogTrickAdded {
            trick: "roll over".into()
        }
        .into()
    );
    assert_eq!(Dog::TrickAdded.topic(), "dogschool:Dog.TrickAdded");
    assert_eq!(
        DogEvent::TOPICS,
        ["dogschool:Dog.Registered", "dogschool:Dog.TrickAdded"]
    );
    assert_eq!(dog.into_state().tricks, ["roll over"]);
}
