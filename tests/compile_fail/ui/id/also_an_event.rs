use es_system::prelude::*;

#[aggregate]
pub struct Dog {
    tricks: Vec<String>,
}

#[aggregate]
impl Dog {
    #[id]
    #[event(Found)]
    pub fn find(name: &str) -> Self {
        Self {
            tricks: vec![name.to_owned()],
        }
    }

    #[event(Registered)]
    pub fn register(name: &str) -> Self {
        Self {
            tricks: vec![name.to_owned()],
        }
    }
}

fn main() {}
