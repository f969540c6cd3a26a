use es_system::prelude::*;

pub struct Level(pub u8);

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

    #[event(Graded)]
    pub fn grade(&mut self, levels: Vec<Level>) {
        let _ = levels;
    }
}

fn main() {}
