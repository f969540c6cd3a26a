use es_system::prelude::*;

pub struct Dog {
    tricks: Vec<String>,
}

impl Dog {
    #[event(TrickAdded)]
    pub fn add_trick(&mut self, trick: &str) {
        self.tricks.push(trick.to_owned());
    }
}

fn main() {}
