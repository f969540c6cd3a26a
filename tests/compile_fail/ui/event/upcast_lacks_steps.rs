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

    #[event(TrickAdded, version = 8, upcast(1 => add_level, 4 => add_level))]
    pub fn add_trick(&mut self, trick: &str) {
        self.tricks.push(trick.to_owned());
    }
}

fn add_level(state: &mut impl StoredState) -> Result<(), FieldError> {
    state.insert("level", &1)
}

fn main() {}
