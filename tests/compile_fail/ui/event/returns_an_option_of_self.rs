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

    #[event(Found)]
    pub fn find() -> Option<Self> {
        None
    }
}

fn main() {}
