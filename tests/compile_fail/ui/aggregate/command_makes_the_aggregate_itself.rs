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

    pub fn puppy(&self) -> Self {
        Self {
            tricks: self.tricks.clone(),
        }
    }
}

fn main() {}
