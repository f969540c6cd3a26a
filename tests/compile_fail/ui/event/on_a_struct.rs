use es_system::prelude::*;

#[event(Bit)]
pub struct Bit {
    pub hard: bool,
}

fn main() {}
