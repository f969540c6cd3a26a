use es_system::prelude::*;

#[aggregate(version = 4, upcast(7 => add_level, 2 => add_level, 2 => add_level))]
#[derive(Serialize, Deserialize)]
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
    pub fn add_trick(&mut self, trick: &str) {
        self.tricks.push(trick.to_owned());
    }
}

fn add_level(state: &mut impl StoredState) -> Result<(), FieldError> {
    state.insert("level", &1)
}

fn main() {}
