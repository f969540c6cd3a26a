use es_system::prelude::*;

pub struct Dog {
    tricks: Vec<String>,
}

#[aggregate]
impl Default for Dog {
    #[event(Registered)]
    fn default() -> Self {
        Self { tricks: Vec::new() }
    }
}

fn main() {}
