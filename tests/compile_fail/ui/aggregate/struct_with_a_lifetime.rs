use es_system::prelude::*;

#[aggregate]
pub struct Dog<'a> {
    tricks: Vec<&'a str>,
}

#[aggregate]
impl Dog<'_> {
    #[event(Registered)]
    pub fn register() -> Self {
        Self { tricks: Vec::new() }
    }

    #[event(TrickAdded)]
    pub fn add_trick(&mut self, trick: &str) {
        self.tricks.truncate(trick.len());
    }
}

fn main() {}
