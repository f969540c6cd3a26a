#![deny(warnings)]
#![allow(
    clippy::self_named_constructors,
    reason = "it is written so on purpose"
)]

use es_system::prelude::*;

#[aggregate]
pub struct Dog {}

#[aggregate]
impl Dog {
    #[event(r#DogRegistered)]
    pub fn register(name: &str) -> Self {
        Self {}
    }

    #[event(Dogged)]
    pub fn dog(&mut self, place: &str, with: Option<String>) {}
}

#[derive(Serialize, Deserialize)]
pub struct Walk {
    _place: String,
}

#[aggregate]
pub struct Order {}

#[aggregate]
impl Order {
    #[event(Ordered)]
    pub fn order() -> Self {
        Self {}
    }

    #[event(Walked, payload = Walk)]
    pub fn walk(&mut self, _place: &str) {}
}

#[process_application]
pub struct Counters;

#[process_application]
impl Counters {
    #[policy(Dog::r#DogRegistered)]
    fn count(&self, event: &DomainEvent<DogDogRegistered>, _: &mut ProcessingEvent) -> Result<()> {
        let _ = &event.name;
        Ok(())
    }
}

#[test]
fn main() {
    let kind = format!("{:?}", Dog::DogRegistered);
    assert_eq!(kind, "EventKind(\"Dog.DogRegistered\")");
    let _ = (Dog::register("Billy"), Order::order());
}
