use es_system::prelude::*;

#[aggregate]
#[derive(Serialize, Deserialize)]
pub struct Dog {
    tricks: Vec<String>,
}

#[aggregate(snapshot_every = 100)]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self { tricks: Vec::new() }
    }
}

fn main() {}
