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

    #[event(Found)]
    pub fn find(trick: &str) -> Self {
        Dog {
            tricks: vec![trick.to_owned()],
        }
    }
}

fn main() {}
