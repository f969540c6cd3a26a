use es_system::prelude::*;

#[aggregate]
pub struct Dog {
    tricks: Vec<String>,
}

#[aggregate]
impl Dog {
    #[id]
    pub fn create_id(timestamp: Timestamp) -> String {
        timestamp.to_string()
    }

    #[event(Registered)]
    pub fn register(name: &str, timestamp: Timestamp) -> Self {
        Self {
            tricks: vec![format!("{name} {timestamp}")],
        }
    }
}

fn main() {}
