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

    pub fn total(&self) -> usize {
        self.tricks.len()
    }

    #[event(TrickAdded)]
    pub fn add_trick(&mut self, trick: &str) {
        if self.total() < 3 {
            self.tricks.push(trick.to_owned());
        }
    }
}

fn main() {}
