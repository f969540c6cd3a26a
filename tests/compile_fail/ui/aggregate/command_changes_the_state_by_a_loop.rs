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

    pub fn forget(&mut self) {
        for trick in self.tricks.iter_mut() {
            trick.clear();
        }
    }
}

fn main() {}
