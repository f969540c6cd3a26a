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

    pub fn forget(&mut self) {
        self.tricks.clear();
    }
}

fn main() {}
