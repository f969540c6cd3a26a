use es_system::prelude::*;

#[application]
pub struct School;

#[application]
impl School {
    pub fn open(&self) {}
}

fn main() {}
