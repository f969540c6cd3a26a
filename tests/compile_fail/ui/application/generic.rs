use es_system::prelude::*;

#[application]
pub struct School<T>;

fn main() {}
