use es_system::prelude::*;

#[aggregate]
pub struct Dog {
    pub tricks: Vec<String>,
}

#[aggregate]
impl Dog {
    #[event(DogRegistered)]
    pub fn register() -> Self {
        Self { tricks: Vec::new() }
    }

    #[event(DogTrickAdded, version = 2, upcast(1 => same))]
    pub fn add_trick(&mut self, trick: &str) {
        self.tricks.push(trick.to_owned());
    }
}

fn same(_: &mut impl StoredState) {}

fn main() {
    let _ = DogTrickAdded { trick: "sit".to_owned() };
}
