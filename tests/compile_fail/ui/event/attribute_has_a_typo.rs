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

    #[evnt(TrickAdded)]
    pub fn add_trick(&mut self, trick: &str) {
        let _ = trick;
    }
}

fn main() {}
