use es_system::prelude::*;

#[aggregate]
pub struct Dog {
    tricks: Vec<String>,
}

#[aggregate]
impl Dog {
    #[id]
    pub fn create_id<T: ToString>(name: T) -> String {
        name.to_string()
    }

    #[event(Registered)]
    pub fn register(name: &str) -> Self {
        Self {
            tricks: vec![name.to_owned()],
        }
    }
}

fn main() {}
