use es_system::prelude::*;

#[aggregate]
pub struct Dog {
    pub tricks: Vec<String>,
}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self { tricks: Vec::new() }
    }

    pub fn learned(&self) -> usize {
        let Dog { tricks } = self;
        tricks.len()
    }
}

fn main() {}
