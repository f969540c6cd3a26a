//! Aggregates that take snapshots, and how one asks for them.
#![deny(warnings)]
#![allow(clippy::new_without_default, reason = "it is written so on purpose")]

use es_system::prelude::*;

/// A dog.
#[aggregate(topic = "dogschool:Dog", snapshot_every = 1_000)]
#[derive(Serialize, Deserialize)]
pub struct Dog {
    /// What it can do.
    pub tricks: Vec<String>,
}

#[aggregate]
impl Dog {
    /// A dog comes to school.
    #[event(Registered)]
    pub fn register() -> Self {
        Self { tricks: Vec::new() }
    }
}

/// It counts.
#[aggregate(snapshot_every = 2)]
#[derive(Clone, Copy, Serialize, Deserialize)]
pub enum Counter {
    /// Nothing yet.
    Zero,
    /// So many.
    Some(u64),
}

#[aggregate]
impl Counter {
    /// It begins.
    #[event(Created)]
    pub fn new() -> Self {
        Self::Zero
    }
}

/// A school for dogs.
#[application]
pub struct School;

#[test]
fn main() {
    let school = School::new(Env::new()).unwrap();
    let (mut dog, mut counter) = (Dog::register(), Counter::new());
    school.save((&mut dog, &mut counter)).unwrap();
    school.take_snapshot::<Dog>(dog.id(), 1).unwrap();
    school.take_snapshot::<Counter>(counter.id(), None).unwrap();
    school.take_snapshot::<Dog>(dog.id(), Some(1)).unwrap();
}
