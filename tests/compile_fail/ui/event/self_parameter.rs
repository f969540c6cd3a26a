use es_system::prelude::*;

#[aggregate]
pub struct Dog {
    tricks: Vec<String>,
}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self { tricks: Vec::new() }
    }

    #[event(TrickAdded)]
    pub fn add_from(&mut self, other: &Self) {
        self.tricks.extend(other.tricks.iter().cloned());
    }
}

fn main() {}
