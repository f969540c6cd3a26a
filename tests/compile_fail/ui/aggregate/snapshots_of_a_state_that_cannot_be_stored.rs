use es_system::prelude::*;

#[aggregate(snapshot_every = 100)]
pub struct Dog {
    tricks: Vec<String>,
}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self { tricks: Vec::new() }
    }
}

fn main() {}
