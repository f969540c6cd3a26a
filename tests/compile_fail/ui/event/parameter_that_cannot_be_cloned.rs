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
    pub fn add_trick(&mut self, trick: Trick) {
        self.tricks.push(trick.0);
    }
}

#[derive(Serialize, Deserialize)]
pub struct Trick(String);

fn main() {}
