use es_system::prelude::*;

pub struct Dog;

impl Dog {
    #[id]
    pub fn create_id(name: &str) -> String {
        name.to_owned()
    }
}

fn main() {}
