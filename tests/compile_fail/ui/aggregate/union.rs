use es_system::prelude::*;

#[aggregate]
pub union Dog {
    age: u8,
}

fn main() {}
