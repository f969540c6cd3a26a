use es_system::prelude::*;

#[application]
pub struct School(String);

fn main() {}
