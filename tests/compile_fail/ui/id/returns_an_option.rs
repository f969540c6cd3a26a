use es_system::prelude::*;

#[aggregate]
pub struct Dog {}

#[aggregate]
impl Dog {
    #[id]
    pub fn create_id(name: &str) -> Option<Uuid> {
        name.parse().ok()
    }

    #[event(Registered)]
    pub fn register(name: &str) -> Self {
        Self {}
    }
}

fn main() {}
