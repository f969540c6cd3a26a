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

    #[event(Forgotten)]
    pub fn forget(&mut self) {
        self.tricks.clear();
    }

    #[event(TrickAdded)]
    pub fn add_trick(&mut self, trick: &str) {
        self.forget();
        self.tricks.push(trick.to_owned());
    }
}

fn main() {}
