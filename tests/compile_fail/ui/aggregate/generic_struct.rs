use es_system::prelude::*;

#[aggregate]
pub struct Dog<T> {
    trick: T,
}

fn main() {}
