use es_system::prelude::*;

#[aggregate]
pub struct Dog {
    #[id]
    pub name: String,
}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self {
            name: String::new(),
        }
    }
}

fn main() {}
