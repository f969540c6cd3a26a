//! Methods of the state that have the names of the root's, of events and of the block's methods.

#![deny(warnings)]

use es_system::prelude::*;

#[aggregate]
#[derive(Debug)]
pub struct Dog {
    name: String,
    tricks: Vec<String>,
    seen: u64,
}

pub trait Counted {
    fn version(&self) -> u64;
    fn created_on(&mut self) -> &mut u64;
}

impl Counted for DogState {
    fn version(&self) -> u64 {
        self.tricks.len() as u64
    }

    fn created_on(&mut self) -> &mut u64 {
        &mut self.seen
    }
}

impl DogState {
    fn id(&self) -> &str {
        &self.name
    }

    fn pending_events(&mut self) -> &mut Vec<String> {
        &mut self.tricks
    }

    fn add_trick(&mut self, trick: &str) {
        self.tricks.push(trick.to_owned());
    }

    fn total(&self) -> usize {
        self.tricks.len()
    }

    fn modified_on(self) -> String {
        self.name
    }
}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            tricks: Vec::new(),
            seen: 0,
        }
    }

    #[event(TrickAdded)]
    pub fn add_trick(&mut self, trick: &str) {
        let trick = format!("{trick} of {}", self.id());
        self.add_trick(&trick);
        Self::add_trick(self, "sit");
    }

    #[event(Counted)]
    pub fn count(&mut self) {
        let total = self.total() + Self::total(self);
        let version = self.version();
        let each = |add: u64| self.version() + add;
        let more = each(total as u64);
        *self.created_on() = version + more;
        self.pending_events().clear();
    }

    pub fn total(&self) -> usize {
        self.tricks.len() * 10
    }
}

#[test]
fn main() {
    let mut dog = Dog::register("Fido");
    dog.add_trick("roll");
    assert_eq!(dog.tricks, ["roll of Fido", "sit"]);
    assert_eq!(dog.total(), 20);
    dog.count();
    assert_eq!(dog.seen, 2 + 2 + 4);
    assert_eq!(dog.total(), 0);
    let state = DogState {
        name: "Rex".to_owned(),
        tricks: Vec::new(),
        seen: 0,
    };
    assert_eq!(state.modified_on(), "Rex");
}
