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

    pub fn forget(&mut self) -> Vec<String> {
        std::mem::take(&mut self.tricks)
    }
}

fn main() {}
