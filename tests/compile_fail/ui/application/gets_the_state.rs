use es_system::prelude::*;

#[aggregate]
pub struct Dog {
    pub tricks: Vec<String>,
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

#[application]
pub struct School;

impl School {
    pub fn run(&self) -> Result<()> {
        self.repository().get::<DogState>("id")?;
        Ok(())
    }
}

fn main() {}
