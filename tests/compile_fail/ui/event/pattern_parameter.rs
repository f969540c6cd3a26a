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
    pub fn add_tricks(&mut self, (one, two): (String, String)) {
        self.tricks.extend([one, two]);
    }
}

fn main() {}
