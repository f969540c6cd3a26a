use es_system::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Taught {
    pub trick: u8,
}

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

    #[event(TrickAdded, payload = Taught)]
    pub fn add_trick(&mut self, trick: &str) {
        self.tricks.push(trick.to_owned());
    }
}

fn main() {}
