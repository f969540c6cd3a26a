use es_system::prelude::*;

#[aggregate]
pub struct Dog {
    tricks: Vec<String>,
}

#[aggregate]
impl Dog {
    pub fn count(&self) -> usize {
        self.tricks.len()
    }
}

fn main() {}
